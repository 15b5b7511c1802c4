-- Requests are found by project and by class of failure: of an attempt, or the code that the client got.
CREATE INDEX requests_project ON requests (project, id) WHERE project IS NOT NULL;
CREATE INDEX requests_error_class ON requests (error_class, id) WHERE error_class IS NOT NULL;
CREATE INDEX attempts_class ON attempts (class, request_id) WHERE class IS NOT NULL;

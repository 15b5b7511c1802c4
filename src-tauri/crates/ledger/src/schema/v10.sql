-- Usage objects and decisions, packed (`packed_text`); rows of earlier versions keep them as text.
ALTER TABLE requests ADD COLUMN usage_packed BLOB;
ALTER TABLE decisions ADD COLUMN packed BLOB;

-- A request for a route is mostly a request for a model of that name, which has an index already.
DROP INDEX requests_route;
CREATE INDEX requests_route ON requests (route, id) WHERE route <> model_asked;
-- The hourly roll-ups tell in which hours a client, a backend or a project has requests.
DROP INDEX requests_client;
DROP INDEX requests_backend;
DROP INDEX requests_project;

//! The queue at its limits, and under any sequence of arrivals and departures.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

use Priority::{Background, Interactive, Probe};

const START: Moment = Moment::from_secs(10);

fn place(entered: AdmissionOutcome) -> Ticket {
    let AdmissionOutcome::Slot(ticket) = entered else { panic!("no place: {entered:?}") };
    ticket
}

fn queued(entered: AdmissionOutcome) -> Ticket {
    let AdmissionOutcome::Queued(ticket) = entered else { panic!("not queued: {entered:?}") };
    ticket
}

#[test]
fn places_then_queue_then_full() {
    let mut admission = AdmissionQueue::new(2, 3);
    let first = place(admission.request_slot(Interactive, START));
    place(admission.request_slot(Interactive, START));
    let waiting: Vec<_> =
        (0..3).map(|_| queued(admission.request_slot(Interactive, START))).collect();
    assert!(matches!(admission.request_slot(Interactive, START), AdmissionOutcome::Full { .. }));
    assert_eq!((admission.in_flight(), admission.queued()), (2, 3));
    assert_eq!(admission.release(first, START), Some(waiting[0]));
    assert_eq!((admission.in_flight(), admission.queued()), (2, 2));
    assert_eq!(admission.release(first, START), None, "leaving twice frees nothing");
    assert_eq!(admission.in_flight(), 2);
}

#[test]
fn without_a_queue_the_next_is_refused() {
    let mut admission = AdmissionQueue::new(1, 0);
    place(admission.request_slot(Interactive, START));
    assert_eq!(
        admission.request_slot(Interactive, START),
        AdmissionOutcome::Full { retry_after: RETRY_AFTER_MIN }
    );
    let mut none = AdmissionQueue::new(0, 0);
    place(none.request_slot(Probe, START));
}

#[test]
fn lower_classes_leave_room_in_the_queue() {
    let mut admission = AdmissionQueue::new(1, 4);
    place(admission.request_slot(Interactive, START));
    queued(admission.request_slot(Probe, START));
    queued(admission.request_slot(Probe, START));
    assert!(matches!(admission.request_slot(Probe, START), AdmissionOutcome::Full { .. }));
    queued(admission.request_slot(Background, START));
    assert!(matches!(admission.request_slot(Background, START), AdmissionOutcome::Full { .. }));
    queued(admission.request_slot(Interactive, START));
    assert!(matches!(admission.request_slot(Interactive, START), AdmissionOutcome::Full { .. }));
}

#[test]
fn first_by_class_then_by_coming_and_nobody_is_passed_over_for_ever() {
    let mut admission = AdmissionQueue::new(1, 100);
    let mut inside = place(admission.request_slot(Interactive, START));
    let probe = queued(admission.request_slot(Probe, START));
    let background = queued(admission.request_slot(Background, START));
    let people: Vec<_> =
        (0..12).map(|_| queued(admission.request_slot(Interactive, START))).collect();
    let mut order = Vec::new();
    while let Some(next) = admission.release(inside, START) {
        order.push(next);
        inside = next;
    }
    let mut expected = people[..8].to_vec();
    expected.extend([background, probe]);
    expected.extend(&people[8..]);
    assert_eq!(order, expected);
}

#[test]
fn giving_up_while_waiting_frees_nothing_and_giving_up_when_called_frees_the_place() {
    let mut admission = AdmissionQueue::new(1, 10);
    let inside = place(admission.request_slot(Interactive, START));
    let [a, b, c] = [(); 3].map(|()| queued(admission.request_slot(Interactive, START)));
    assert_eq!(admission.release(a, START), None);
    assert_eq!(admission.release(inside, START), Some(b));
    assert_eq!(admission.release(b, START), Some(c), "called, but gone");
    assert_eq!(admission.release(c, START), None);
    assert_eq!((admission.in_flight(), admission.queued()), (0, 0));
}

#[test]
fn more_places_call_those_who_wait_and_fewer_call_nobody_until_it_fits() {
    let mut admission = AdmissionQueue::new(1, 10);
    let inside = place(admission.request_slot(Interactive, START));
    let [a, b, c] = [(); 3].map(|()| queued(admission.request_slot(Interactive, START)));
    assert_eq!(admission.resize(3), [a, b]);
    assert_eq!(admission.resize(2), []);
    assert_eq!(admission.release(inside, START), None);
    assert_eq!(admission.in_flight(), 2);
    assert_eq!(admission.release(a, START), Some(c));
    admission.set_queue_max(0);
    assert!(matches!(admission.request_slot(Interactive, START), AdmissionOutcome::Full { .. }));
}

#[test]
fn a_refused_request_is_told_when_the_queue_will_have_moved() {
    let mut admission = AdmissionQueue::new(1, 4);
    let mut inside = place(admission.request_slot(Interactive, START));
    for _ in 0..4 {
        queued(admission.request_slot(Interactive, START));
    }
    let mut now = START;
    for _ in 0..3 {
        now = now + Duration::from_secs(2);
        inside = admission.release(inside, now).unwrap();
        queued(admission.request_slot(Interactive, now));
    }
    // Four are waiting, a slot becomes free every two seconds, and this request is the fifth.
    let AdmissionOutcome::Full { retry_after } = admission.request_slot(Interactive, now) else {
        panic!()
    };
    assert_eq!(retry_after, Duration::from_secs(10));
    let slow = now + Duration::from_secs(3_600);
    inside = admission.release(inside, slow).unwrap();
    queued(admission.request_slot(Interactive, slow));
    let full = AdmissionOutcome::Full { retry_after: RETRY_AFTER_MAX };
    assert_eq!(admission.request_slot(Interactive, slow), full);
    assert!(admission.release(inside, slow).is_some());
}

#[derive(Debug, Clone)]
enum AdmissionStep {
    Enter(Priority),
    /// `leave` for the n-th ticket ever issued, known or not.
    Leave(prop::sample::Index),
    Resize(usize),
}

fn act() -> impl Strategy<Value = AdmissionStep> {
    prop_oneof![
        5 => prop::sample::select(Priority::ALL).prop_map(AdmissionStep::Enter),
        5 => any::<prop::sample::Index>().prop_map(AdmissionStep::Leave),
        1 => (1_usize..6).prop_map(AdmissionStep::Resize),
    ]
}

proptest! {
    #[test]
    fn places_are_never_exceeded_and_every_ticket_is_called_once_or_gives_up(
        acts in prop::collection::vec(act(), 1..300),
    ) {
        #[derive(Debug, PartialEq)]
        enum TicketState { Waiting { turns: u32, ahead: u32 }, Inside, Gone }
        let (mut places, queue_max) = (3, 12);
        let mut admission = AdmissionQueue::new(places, queue_max);
        let mut tickets: BTreeMap<Ticket, TicketState> = BTreeMap::new();
        for act in acts {
            let inside_before = admission.in_flight();
            let called = match act {
                AdmissionStep::Enter(priority) => {
                    match admission.request_slot(priority, START) {
                        AdmissionOutcome::Slot(ticket) => {
                            prop_assert!(tickets.insert(ticket, TicketState::Inside).is_none());
                            prop_assert!(admission.in_flight() <= places);
                        }
                        AdmissionOutcome::Queued(ticket) => {
                            let ahead = tickets.iter().filter(|(other, is)| {
                                other.priority == priority && matches!(is, TicketState::Waiting { .. })
                            });
                            let ahead = u32::try_from(ahead.count()).unwrap();
                            let is = TicketState::Waiting { turns: 0, ahead };
                            prop_assert!(tickets.insert(ticket, is).is_none());
                        }
                        AdmissionOutcome::Full { .. } => {}
                    }
                    vec![]
                }
                AdmissionStep::Leave(index) if !tickets.is_empty() => {
                    let ticket = *index.get(&tickets.keys().copied().collect::<Vec<_>>());
                    tickets.insert(ticket, TicketState::Gone);
                    admission.release(ticket, START).into_iter().collect()
                }
                AdmissionStep::Leave(_) => vec![],
                AdmissionStep::Resize(to) => {
                    places = to;
                    admission.resize(to)
                }
            };
            for ticket in called {
                let was = tickets.insert(ticket, TicketState::Inside);
                let Some(TicketState::Waiting { turns, ahead }) = was else {
                    panic!("{ticket:?} was called although it was {was:?}")
                };
                prop_assert!(turns < (ahead + 1) * (SKIPS_MAX + 2), "{ticket:?} {turns} {ahead}");
                for (other, is) in &mut tickets {
                    if let TicketState::Waiting { turns, .. } = is {
                        *turns += 1;
                        let overtaken = other.priority == ticket.priority && other < &ticket;
                        prop_assert!(!overtaken, "{other:?} was overtaken by {ticket:?}");
                    }
                }
            }
            let count = |wanted: fn(&TicketState) -> bool| tickets.values().filter(|is| wanted(is)).count();
            prop_assert_eq!(admission.in_flight(), count(|is| *is == TicketState::Inside));
            prop_assert_eq!(admission.queued(), count(|is| matches!(is, TicketState::Waiting { .. })));
            prop_assert!(admission.in_flight() <= places.max(inside_before));
            prop_assert!(admission.queued() <= queue_max);
            let idle = admission.in_flight() < places && admission.queued() > 0;
            prop_assert!(!idle, "somebody waits although a place is free");
        }
    }
}

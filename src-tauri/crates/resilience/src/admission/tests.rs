//! The queue at its limits, and under any sequence of arrivals and departures.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

use Priority::{Background, Interactive, Probe};

const START: Moment = Moment::from_secs(10);

fn place(entered: Entered) -> Ticket {
    let Entered::Place(ticket) = entered else { panic!("no place: {entered:?}") };
    ticket
}

fn queued(entered: Entered) -> Ticket {
    let Entered::Queued(ticket) = entered else { panic!("not queued: {entered:?}") };
    ticket
}

#[test]
fn places_then_queue_then_full() {
    let mut admission = Admission::new(2, 3);
    let first = place(admission.enter(Interactive, START));
    place(admission.enter(Interactive, START));
    let waiting: Vec<_> = (0..3).map(|_| queued(admission.enter(Interactive, START))).collect();
    assert!(matches!(admission.enter(Interactive, START), Entered::Full { .. }));
    assert_eq!((admission.in_flight(), admission.queued()), (2, 3));
    assert_eq!(admission.leave(first, START), Some(waiting[0]));
    assert_eq!((admission.in_flight(), admission.queued()), (2, 2));
    assert_eq!(admission.leave(first, START), None, "leaving twice frees nothing");
    assert_eq!(admission.in_flight(), 2);
}

#[test]
fn without_a_queue_the_next_is_refused() {
    let mut admission = Admission::new(1, 0);
    place(admission.enter(Interactive, START));
    assert_eq!(admission.enter(Interactive, START), Entered::Full { retry_after: RETRY_AFTER_MIN });
    let mut none = Admission::new(0, 0);
    place(none.enter(Probe, START));
}

#[test]
fn lower_classes_leave_room_in_the_queue() {
    let mut admission = Admission::new(1, 4);
    place(admission.enter(Interactive, START));
    queued(admission.enter(Probe, START));
    queued(admission.enter(Probe, START));
    assert!(matches!(admission.enter(Probe, START), Entered::Full { .. }));
    queued(admission.enter(Background, START));
    assert!(matches!(admission.enter(Background, START), Entered::Full { .. }));
    queued(admission.enter(Interactive, START));
    assert!(matches!(admission.enter(Interactive, START), Entered::Full { .. }));
}

#[test]
fn first_by_class_then_by_coming_and_nobody_is_passed_over_for_ever() {
    let mut admission = Admission::new(1, 100);
    let mut inside = place(admission.enter(Interactive, START));
    let probe = queued(admission.enter(Probe, START));
    let background = queued(admission.enter(Background, START));
    let people: Vec<_> = (0..12).map(|_| queued(admission.enter(Interactive, START))).collect();
    let mut order = Vec::new();
    while let Some(next) = admission.leave(inside, START) {
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
    let mut admission = Admission::new(1, 10);
    let inside = place(admission.enter(Interactive, START));
    let [a, b, c] = [(); 3].map(|()| queued(admission.enter(Interactive, START)));
    assert_eq!(admission.leave(a, START), None);
    assert_eq!(admission.leave(inside, START), Some(b));
    assert_eq!(admission.leave(b, START), Some(c), "called, but gone");
    assert_eq!(admission.leave(c, START), None);
    assert_eq!((admission.in_flight(), admission.queued()), (0, 0));
}

#[test]
fn more_places_call_those_who_wait_and_fewer_call_nobody_until_it_fits() {
    let mut admission = Admission::new(1, 10);
    let inside = place(admission.enter(Interactive, START));
    let [a, b, c] = [(); 3].map(|()| queued(admission.enter(Interactive, START)));
    assert_eq!(admission.resize(3), [a, b]);
    assert_eq!(admission.resize(2), []);
    assert_eq!(admission.leave(inside, START), None);
    assert_eq!(admission.in_flight(), 2);
    assert_eq!(admission.leave(a, START), Some(c));
    admission.set_queue_max(0);
    assert!(matches!(admission.enter(Interactive, START), Entered::Full { .. }));
}

#[test]
fn a_refused_request_is_told_when_the_queue_will_have_moved() {
    let mut admission = Admission::new(1, 4);
    let mut inside = place(admission.enter(Interactive, START));
    for _ in 0..4 {
        queued(admission.enter(Interactive, START));
    }
    let mut now = START;
    for _ in 0..3 {
        now = now + Duration::from_secs(2);
        inside = admission.leave(inside, now).unwrap();
        queued(admission.enter(Interactive, now));
    }
    // Four are waiting, a slot becomes free every two seconds, and this request is the fifth.
    let Entered::Full { retry_after } = admission.enter(Interactive, now) else { panic!() };
    assert_eq!(retry_after, Duration::from_secs(10));
    let slow = now + Duration::from_secs(3_600);
    inside = admission.leave(inside, slow).unwrap();
    queued(admission.enter(Interactive, slow));
    let full = Entered::Full { retry_after: RETRY_AFTER_MAX };
    assert_eq!(admission.enter(Interactive, slow), full);
    assert!(admission.leave(inside, slow).is_some());
}

#[derive(Debug, Clone)]
enum Act {
    Enter(Priority),
    /// `leave` for the n-th ticket ever issued, known or not.
    Leave(prop::sample::Index),
    Resize(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => prop::sample::select(Priority::ALL).prop_map(Act::Enter),
        5 => any::<prop::sample::Index>().prop_map(Act::Leave),
        1 => (1_usize..6).prop_map(Act::Resize),
    ]
}

proptest! {
    #[test]
    fn places_are_never_exceeded_and_every_ticket_is_called_once_or_gives_up(
        acts in prop::collection::vec(act(), 1..300),
    ) {
        #[derive(Debug, PartialEq)]
        enum Is { Waiting { turns: u32, ahead: u32 }, Inside, Gone }
        let (mut places, queue_max) = (3, 12);
        let mut admission = Admission::new(places, queue_max);
        let mut tickets: BTreeMap<Ticket, Is> = BTreeMap::new();
        for act in acts {
            let inside_before = admission.in_flight();
            let called = match act {
                Act::Enter(priority) => {
                    match admission.enter(priority, START) {
                        Entered::Place(ticket) => {
                            prop_assert!(tickets.insert(ticket, Is::Inside).is_none());
                            prop_assert!(admission.in_flight() <= places);
                        }
                        Entered::Queued(ticket) => {
                            let ahead = tickets.iter().filter(|(other, is)| {
                                other.priority == priority && matches!(is, Is::Waiting { .. })
                            });
                            let ahead = u32::try_from(ahead.count()).unwrap();
                            let is = Is::Waiting { turns: 0, ahead };
                            prop_assert!(tickets.insert(ticket, is).is_none());
                        }
                        Entered::Full { .. } => {}
                    }
                    vec![]
                }
                Act::Leave(index) if !tickets.is_empty() => {
                    let ticket = *index.get(&tickets.keys().copied().collect::<Vec<_>>());
                    tickets.insert(ticket, Is::Gone);
                    admission.leave(ticket, START).into_iter().collect()
                }
                Act::Leave(_) => vec![],
                Act::Resize(to) => {
                    places = to;
                    admission.resize(to)
                }
            };
            for ticket in called {
                let was = tickets.insert(ticket, Is::Inside);
                let Some(Is::Waiting { turns, ahead }) = was else {
                    panic!("{ticket:?} was called although it was {was:?}")
                };
                prop_assert!(turns < (ahead + 1) * (PASSES_MAX + 2), "{ticket:?} {turns} {ahead}");
                for (other, is) in &mut tickets {
                    if let Is::Waiting { turns, .. } = is {
                        *turns += 1;
                        let overtaken = other.priority == ticket.priority && other < &ticket;
                        prop_assert!(!overtaken, "{other:?} was overtaken by {ticket:?}");
                    }
                }
            }
            let count = |wanted: fn(&Is) -> bool| tickets.values().filter(|is| wanted(is)).count();
            prop_assert_eq!(admission.in_flight(), count(|is| *is == Is::Inside));
            prop_assert_eq!(admission.queued(), count(|is| matches!(is, Is::Waiting { .. })));
            prop_assert!(admission.in_flight() <= places.max(inside_before));
            prop_assert!(admission.queued() <= queue_max);
            let idle = admission.in_flight() < places && admission.queued() > 0;
            prop_assert!(!idle, "somebody waits although a place is free");
        }
    }
}

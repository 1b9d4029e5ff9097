//! Graphs of names: the loops in them, and orders of what is left.

use std::collections::BTreeSet;

/// The loops that a walk from every node in turn runs into, each as its nodes in order; the last leads back to the
/// first. Without these closing edges the graph has no loops. Walks a stack of its own: a chain of documents may be
/// longer than ours.
pub(super) fn loops(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut state = vec![State::New; edges.len()];
    let mut loops = Vec::new();
    for start in 0..edges.len() {
        if state[start] != State::New {
            continue;
        }
        let mut path = vec![(start, 0)];
        state[start] = State::Open;
        while let Some((node, next)) = path.last_mut() {
            let Some(&target) = edges[*node].get(*next) else {
                state[*node] = State::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match state[target] {
                State::New => {
                    state[target] = State::Open;
                    path.push((target, 0));
                }
                State::Open => {
                    let nodes = path.iter().map(|(node, _)| *node);
                    loops.push(nodes.skip_while(|node| *node != target).collect());
                }
                State::Done => {}
            }
        }
    }
    loops
}

/// Every node before those it leads to; of several that could come next the smallest. The graph has no loops.
pub(super) fn sources_first(edges: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut waiting_for = vec![0_usize; edges.len()];
    for target in edges.iter().flatten() {
        waiting_for[*target] += 1;
    }
    let mut ready: BTreeSet<usize> = (0..edges.len()).filter(|node| waiting_for[*node] == 0).collect();
    let mut order = Vec::with_capacity(edges.len());
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for target in &edges[node] {
            waiting_for[*target] -= 1;
            if waiting_for[*target] == 0 {
                ready.insert(*target);
            }
        }
    }
    order
}

/// A node and all that it leads to: depth first, in the order of the edges, each once, itself first.
pub(super) fn closure(edges: &[Vec<usize>], start: usize) -> Vec<usize> {
    let mut closure = Vec::new();
    let mut seen = BTreeSet::new();
    let mut stack = vec![start];
    while let Some(node) = stack.pop() {
        if seen.insert(node) {
            closure.push(node);
            stack.extend(edges[node].iter().rev());
        }
    }
    closure
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{closure, loops, sources_first};

    #[test]
    fn a_loop_is_found_once_however_many_ways_lead_into_it() {
        assert_eq!(loops(&[vec![1], vec![2], vec![1], vec![2]]), [vec![1, 2]]);
        assert_eq!(loops(&[vec![0]]), [vec![0]]);
        assert_eq!(loops(&[vec![1, 2], vec![2], vec![]]), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn a_long_chain_does_not_exhaust_the_stack() {
        let chain: Vec<Vec<usize>> = (0..100_000).map(|node| vec![(node + 1) % 100_000]).collect();
        assert_eq!(loops(&chain).len(), 1);
    }

    #[test]
    fn a_dependant_comes_first_and_ties_go_by_name() {
        let edges = [BTreeSet::new(), BTreeSet::from([0]), BTreeSet::from([0]), BTreeSet::from([1])];
        assert_eq!(sources_first(&edges), [2, 3, 1, 0]);
    }

    #[test]
    fn a_closure_goes_deep_before_it_goes_on() {
        assert_eq!(closure(&[vec![2, 1], vec![3], vec![3], vec![]], 0), [0, 2, 3, 1]);
    }
}

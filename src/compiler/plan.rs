//! The order of the steps: what runs one after the other, and what at the same time.
//!
//! Without any `depends_on` the list is the order. With it the steps form a graph, which is cut into sequences and
//! branches; approvals come as late as they can, one at a time, so that nobody's answer holds up what does not need it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::variables::{Braces, Piece, pieces};
use crate::domain::{Step, step};

/// A part of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// The step with this index.
    Step(usize),
    /// Sequences that run at the same time.
    Parallel(Vec<Vec<Self>>),
}

/// What runs when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One after the other.
    pub blocks: Vec<Block>,
    /// All steps, each after those that it needs.
    pub order: Vec<usize>,
    /// For each step those that are surely done before it, in order.
    pub before: Vec<Vec<usize>>,
}

impl Plan {
    /// The plan for these steps.
    pub fn of(steps: &[Step]) -> Self {
        if steps.iter().all(|step| step.depends_on().is_empty()) {
            let order: Vec<usize> = (0..steps.len()).collect();
            let before = order.iter().map(|index| (0..*index).collect()).collect();
            return Self { blocks: order.iter().copied().map(Block::Step).collect(), order, before };
        }
        let graph = Graph::of(steps);
        let order = graph.order();
        let before = order_of_each(&order, &graph);
        Self { blocks: graph.stages(&order, steps), order, before }
    }

    /// Whether anything runs at the same time.
    pub fn is_parallel(&self) -> bool {
        self.blocks.iter().any(|block| matches!(block, Block::Parallel(_)))
    }
}

/// The steps in these blocks.
pub fn indexes(blocks: &[Block]) -> Vec<usize> {
    let of_block = |block: &Block| match block {
        Block::Step(index) => vec![*index],
        Block::Parallel(branches) => branches.iter().flat_map(|branch| indexes(branch)).collect(),
    };
    blocks.iter().flat_map(of_block).collect()
}

fn order_of_each(order: &[usize], graph: &Graph) -> Vec<Vec<usize>> {
    let before = |index: usize| order.iter().copied().filter(|other| graph.precedes(*other, index)).collect();
    (0..order.len()).map(before).collect()
}

/// Which step comes before which.
struct Graph {
    /// By the later step: whether the earlier one precedes it, directly or not.
    earlier: Vec<Vec<bool>>,
    /// Where each step would be if there were only one sequence.
    position: Vec<usize>,
}

impl Graph {
    fn of(steps: &[Step]) -> Self {
        let sequence = step::order(steps);
        let mut position = vec![0; steps.len()];
        sequence.iter().enumerate().for_each(|(at, index)| position[*index] = at);
        let indexes = step::indexes(steps);
        let mut graph = Self { earlier: vec![vec![false; steps.len()]; steps.len()], position };
        let mut since_fence: Vec<usize> = Vec::new();
        for &index in &sequence {
            let named = steps[index].depends_on().iter().filter_map(|name| indexes.get(name).copied());
            let direct: Vec<usize> =
                if is_fence(&steps[index]) { std::mem::take(&mut since_fence) } else { named.collect() };
            let fence = since_fence.first().copied().filter(|first| is_fence(&steps[*first]));
            for before in direct.into_iter().chain(fence) {
                // In a circle, in a file that nobody checked, this is not so.
                if graph.position[before] < graph.position[index] {
                    graph.put_before(before, index);
                }
            }
            since_fence.push(index);
        }
        graph.add_uses(steps, &sequence, &indexes);
        graph
    }

    /// Puts the step whose output a step uses before it. The latest output is that of the step listed before, unless the
    /// step says what it depends on.
    fn add_uses(&mut self, steps: &[Step], sequence: &[usize], indexes: &BTreeMap<String, usize>) {
        for (at, &index) in sequence.iter().enumerate() {
            let names_none = steps[index].depends_on().is_empty();
            let latest = at.checked_sub(1).filter(|_| names_none).and_then(|at| sequence.get(at).copied());
            let step_of = |key: &String| if key == "latest" { latest } else { indexes.get(key).copied() };
            for used in uses(&steps[index]).iter().filter_map(step_of) {
                let is_possible = used != index && !self.precedes(index, used) && !self.precedes(used, index);
                if is_possible {
                    self.connect(used, index);
                }
            }
        }
    }

    fn precedes(&self, earlier: usize, later: usize) -> bool {
        self.earlier[later][earlier]
    }

    /// Tells only `later`, not what comes after that.
    fn put_before(&mut self, earlier: usize, later: usize) {
        let all = self.earlier[earlier].clone();
        let known = &mut self.earlier[later];
        known.iter_mut().zip(all).for_each(|(known, also)| *known |= also);
        known[earlier] = true;
    }

    fn connect(&mut self, earlier: usize, later: usize) {
        let after: Vec<usize> = (0..self.earlier.len()).filter(|other| self.precedes(later, *other)).collect();
        after.into_iter().chain([later]).for_each(|later| self.put_before(earlier, later));
    }

    fn order(&self) -> Vec<usize> {
        let mut left: Vec<usize> = (0..self.position.len()).collect();
        left.sort_by_key(|index| self.position[*index]);
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let is_next = |index: &usize| !left.iter().any(|other| self.precedes(*other, *index));
            let at = left.iter().position(is_next).unwrap_or_default();
            order.push(left.remove(at));
        }
        order
    }

    /// Everything that needs no approval first. Then the first approval and what it sets free, and so on.
    fn stages(&self, order: &[usize], steps: &[Step]) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut left = order.to_vec();
        let mut approved = None;
        while !left.is_empty() {
            let waits = |index: &usize| needs_approval(&steps[*index]) && approved != Some(*index);
            let closed: Vec<usize> = left.iter().copied().filter(waits).collect();
            let is_free = |index: &usize| !closed.iter().any(|gate| gate == index || self.precedes(*gate, *index));
            let (free, rest): (Vec<usize>, Vec<usize>) = left.into_iter().partition(is_free);
            blocks.extend(self.sequence(&free));
            // Whatever stands before it is done: it is the first that had to wait.
            approved = rest.first().copied();
            left = rest;
        }
        blocks
    }

    /// Cuts `set`, which is in order, into a sequence of steps and branches, as far as that is possible.
    fn sequence(&self, set: &[usize]) -> Vec<Block> {
        if set.len() < 2 {
            return set.iter().copied().map(Block::Step).collect();
        }
        let is_related = |a, b| self.precedes(a, b) || self.precedes(b, a);
        let branches = components(set, is_related);
        if branches.len() > 1 {
            return vec![Block::Parallel(branches.iter().map(|branch| self.sequence(branch)).collect())];
        }
        let parts = components(set, |a, b| !is_related(a, b));
        if parts.len() > 1 {
            return parts.iter().flat_map(|part| self.sequence(part)).collect();
        }
        // Branches with connections between them: those that can begin, then the rest.
        let (first, rest): (Vec<usize>, Vec<usize>) =
            set.iter().partition(|index| !set.iter().any(|other| self.precedes(*other, **index)));
        let mut blocks = vec![Block::Parallel(first.into_iter().map(|index| vec![Block::Step(index)]).collect())];
        blocks.extend(self.sequence(&rest));
        blocks
    }
}

/// The parts of `set` that are connected in themselves and not with each other.
fn components(set: &[usize], is_connected: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut left = set.to_vec();
    let mut components = Vec::new();
    while !left.is_empty() {
        let mut component = vec![left.remove(0)];
        let mut seen = 0;
        while let Some(&one) = component.get(seen) {
            let (near, far) = left.into_iter().partition(|other| is_connected(one, *other));
            left = far;
            component.extend::<Vec<usize>>(near);
            seen += 1;
        }
        let in_order = set.iter().copied().filter(|index| component.contains(index)).collect();
        components.push(in_order);
    }
    components
}

/// A step without an identity can't say what it depends on, so it keeps its place in the list: after all that stand
/// before it, and before all that stand after it.
fn is_fence(step: &Step) -> bool {
    step.id().is_none() && step.depends_on().is_empty()
}

fn needs_approval(step: &Step) -> bool {
    matches!(step, Step::Action(action) if action.requires_approval)
}

/// The keys of the steps whose outputs the texts of `step` name.
fn uses(step: &Step) -> Vec<String> {
    let mut uses = Vec::new();
    let mut look = |text: &str, braces| {
        uses.extend(pieces(text, braces).into_iter().filter_map(|piece| match piece {
            Piece::Variable { name, .. } => name.strip_suffix("_output").map(str::to_owned),
            Piece::Text(_) | Piece::Escaped { .. } => None,
        }));
    };
    match step {
        Step::Sentence(text) => look(text, Braces::Double),
        Step::Command(step) => step.command.iter().for_each(|word| look(word, Braces::Marked)),
        Step::Tool(step) => each_text(step.arguments.values(), &mut |text| look(text, Braces::Marked)),
        Step::Procedure(step) => each_text(step.arguments.values(), &mut |text| look(text, Braces::Marked)),
        Step::Wait(step) => each_text(step.config.values(), &mut |text| look(text, Braces::Marked)),
        Step::Action(step) => {
            each_text(step.config.values(), &mut |text| look(text, Braces::Any));
            step.input_mapping.values().for_each(|text| look(text, Braces::Any));
        }
    }
    uses
}

fn each_text<'v>(values: impl IntoIterator<Item = &'v Value>, look: &mut impl FnMut(&str)) {
    for value in values {
        match value {
            Value::String(text) => look(text),
            Value::Array(items) => each_text(items, look),
            Value::Object(map) => each_text(map.values(), look),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// `a` runs a command, `a!` needs an approval, `a<b,c` depends on others, `-` is a sentence.
    fn steps(described: &str) -> Vec<Step> {
        let step = |word: &str| {
            let (name, needed) = word.split_once('<').unwrap_or((word, ""));
            let depends_on: Vec<&str> = needed.split(',').filter(|name| !name.is_empty()).collect();
            match name.strip_suffix('!') {
                _ if name == "-" => json!("Look"),
                Some(name) => {
                    let config = json!({"message": "Done"});
                    json!({"step_id": name, "action_type": "send_notification", "config": config,
                        "requires_approval": true, "depends_on": depends_on})
                }
                None => json!({"step_id": name, "command": ["ls"], "depends_on": depends_on}),
            }
        };
        serde_json::from_value(described.split_whitespace().map(step).collect()).unwrap()
    }

    /// `a (b c | d) e`
    fn shown(blocks: &[Block], steps: &[Step]) -> String {
        let shown = blocks.iter().map(|block| match block {
            Block::Step(index) => steps[*index].id().unwrap_or("-").to_owned(),
            Block::Parallel(branches) => {
                let branches: Vec<String> = branches.iter().map(|branch| self::shown(branch, steps)).collect();
                format!("({})", branches.join(" | "))
            }
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn independent_branches_run_at_the_same_time() {
        for (described, expected) in [
            ("a - b", "a - b"),
            ("a b<a c<b", "a b c"),
            ("a b c<a,b", "(a | b) c"),
            ("a b<a c<a d<b,c", "a (b | c) d"),
            ("a b c<a d<b e<c,d", "(a c | b d) e"),
            ("a b c<a,b d e<d f<c,e", "((a | b) c | d e) f"),
            // Connected branches that are no sequence.
            ("a b c<a d<a,b", "(a | b) (c | d)"),
            // A step without an id keeps its place.
            ("a b - c d<c e<c", "(a | b) - c (d | e)"),
            ("b<d - d", "d b -"),
            // What needs no approval is done before anybody is asked.
            ("a! b<a c d<c", "c d a b"),
            ("a! b! c<a d<b e<c,d", "a c b d e"),
            ("a b!<a c<a d<c e<b e2<b", "a c d b (e | e2)"),
        ] {
            let steps = steps(described);
            let plan = Plan::of(&steps);
            assert_eq!(shown(&plan.blocks, &steps), expected, "{described}");
        }
    }

    #[test]
    fn what_uses_an_output_comes_after_it() {
        let uses = |text: &str| {
            let config = json!({"message": text});
            let tell = json!({"step_id": "tell", "action_type": "send_notification", "config": config});
            let a = json!({"step_id": "a", "command": ["ls"]});
            let b = json!({"step_id": "b", "command": ["ls"], "depends_on": ["a"]});
            let last = json!({"step_id": "last", "procedure": "x", "arguments": {"list": ["{{latest_output}}"]}});
            let listed = json!([tell, a, b, last]);
            let steps: Vec<Step> = serde_json::from_value(listed).unwrap();
            shown(&Plan::of(&steps).blocks, &steps)
        };
        assert_eq!(uses("Hello"), "(tell | a b last)");
        assert_eq!(uses("{a_output}"), "a (tell | b last)");
        assert_eq!(uses("{{b_output.x}} {a_output}"), "a b (tell | last)");
        assert_eq!(uses("{tell_output} {other_output}"), "(tell | a b last)");
        assert_eq!(uses("{latest_output}"), "(tell | a b last)", "nothing is listed before it");
    }

    fn in_order(blocks: &[Block], done: &mut Vec<usize>, check: &mut impl FnMut(usize, &[usize])) {
        for block in blocks {
            match block {
                Block::Step(index) => {
                    check(*index, done);
                    done.push(*index);
                }
                Block::Parallel(branches) => {
                    let before = done.clone();
                    for branch in branches {
                        let mut own = before.clone();
                        in_order(branch, &mut own, check);
                        done.extend(own.split_off(before.len()));
                    }
                }
            }
        }
    }

    proptest! {
        /// In whatever way steps depend on earlier ones, each runs once, and after all that it needs.
        #[test]
        fn every_step_runs_once_and_after_what_it_needs(
            needed in proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 0..4), 1..14),
            gates in proptest::collection::vec(any::<bool>(), 14),
        ) {
            let step = |(at, needed): (usize, &Vec<prop::sample::Index>)| {
                let needed: Vec<String> = needed.iter().filter(|_| at > 0).map(|index| format!("s{}", index.index(at))).collect();
                format!("s{at}{}<{}", if gates[at] { "!" } else { "" }, needed.join(","))
            };
            let described: Vec<String> = needed.iter().enumerate().map(step).collect();
            let steps = steps(&described.join(" "));
            let plan = Plan::of(&steps);
            let indexes = step::indexes(&steps);
            let mut done = Vec::new();
            let mut missing = Vec::new();
            in_order(&plan.blocks, &mut done, &mut |index, before| {
                let depends_on = steps[index].depends_on().iter().map(|name| indexes[name]);
                missing.extend(depends_on.chain(plan.before[index].iter().copied()).filter(|one| !before.contains(one)));
            });
            prop_assert_eq!(missing, Vec::<usize>::new(), "{:?}", described);
            done.sort_unstable();
            prop_assert_eq!(done, (0..steps.len()).collect::<Vec<_>>());
        }
    }
}

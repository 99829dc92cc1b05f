//! Who is alive: a node is a machine, a life is one process on it from its start to its end.

use crate::Ms;
use bw_domain::port::store::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// One process from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Life(pub usize);

/// All processes that there ever were.
#[derive(Debug)]
pub struct Lives {
    /// The node of each life.
    nodes: Vec<usize>,
    begun: Vec<Ms>,
    alive: Vec<Option<Life>>,
    /// Nodes that die after so many port calls.
    armed: BTreeMap<usize, u64>,
    /// Lives that are over, although their tasks are still there.
    doomed: BTreeSet<Life>,
}

impl Lives {
    /// Nobody lives yet.
    pub fn new(nodes: usize) -> Self {
        Lives {
            nodes: Vec::new(),
            begun: Vec::new(),
            alive: vec![None; nodes],
            armed: BTreeMap::new(),
            doomed: BTreeSet::new(),
        }
    }

    /// A process begins on a node.
    pub fn begin(&mut self, node: usize, now: Ms) -> Life {
        let life = Life(self.nodes.len());
        self.nodes.push(node);
        self.begun.push(now);
        self.alive[node] = Some(life);
        life
    }

    /// It is no more.
    pub fn end(&mut self, life: Life) {
        let node = self.node(life);
        self.armed.remove(&node);
        self.doomed.remove(&life);
        if self.alive[node] == Some(life) {
            self.alive[node] = None;
        }
    }

    /// The machine that it runs on.
    pub fn node(&self, life: Life) -> usize {
        self.nodes[life.0]
    }

    /// When it began.
    pub fn begun(&self, life: Life) -> Ms {
        self.begun[life.0]
    }

    /// The process of a node.
    pub fn on(&self, node: usize) -> Option<Life> {
        self.alive[node]
    }

    /// Every process that lives.
    pub fn all(&self) -> impl Iterator<Item = Life> + '_ {
        self.alive.iter().flatten().copied()
    }

    /// True until it ends.
    pub fn is_alive(&self, life: Life) -> bool {
        self.alive[self.node(life)] == Some(life) && !self.doomed.contains(&life)
    }

    /// The name under which the store knows it.
    pub fn id(life: Life) -> NodeId {
        NodeId(life.0 as u128 + 1)
    }

    /// The process on this node dies after so many port calls.
    pub fn arm(&mut self, node: usize, calls: u64) {
        if self.alive[node].is_some() {
            self.armed.insert(node, calls);
        }
    }

    /// True until the process that was to die has died.
    pub fn is_armed(&self, node: usize) -> bool {
        self.armed.contains_key(&node)
    }

    /// A point between two effects of a process: here it may die. False: it is over.
    pub fn passes(&mut self, life: Life) -> bool {
        if !self.is_alive(life) {
            return false;
        }
        let node = self.node(life);
        let Some(left) = self.armed.get_mut(&node) else { return true };
        if *left > 0 {
            *left -= 1;
            return true;
        }
        self.doom(life);
        false
    }

    /// It ends as soon as the simulation looks.
    pub fn doom(&mut self, life: Life) {
        if self.alive[self.node(life)] == Some(life) {
            self.doomed.insert(life);
        }
    }

    /// A life that is over and not yet ended.
    pub fn doomed(&self) -> Option<Life> {
        self.doomed.first().copied()
    }
}

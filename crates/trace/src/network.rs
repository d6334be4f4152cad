//! A flow network with many terminals, and how much of the whole each terminal can get at most and at least.
//!
//! It knows nothing of ledgers. The caller adds edges in an order in which every edge into a node comes before every
//! edge out of it; that is what time order gives, and it makes the first flow and the cheap bounds one scan each.
//!
//! Instead of two maximum-flow runs a terminal from nothing, one flow that routes everything is kept and rerouted:
//! what a terminal can gain is what can be led to it from the other terminals, what it can lose is what can be led to
//! them. Cheap bounds from one scan say where a search may stop. A search first wanders down the flow, where a partner
//! nearly always lies a few steps off; Dinic's layers are the bound on unlucky capacities.

/// No limit. Half the range, so that sums of a few stay in it.
pub(crate) const UNLIMITED: u128 = u128::MAX >> 2;

/// How often a search wanders before it goes by layers. One round does nearly always.
const WANDERINGS_MAX: u32 = 8;

/// A node's number.
pub(crate) type Node = u32;

/// The network while edges are added.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    nodes: u32,
    edges: Vec<(Node, Node, u128)>,
    /// What enters from the source, in edge order: (edges before it, node, amount).
    feeds: Vec<(usize, Node, u128)>,
    terminals: Vec<Node>,
}

impl Draft {
    pub(crate) fn node(&mut self) -> Node {
        self.nodes += 1;
        self.nodes - 1
    }

    pub(crate) fn edge(&mut self, from: Node, to: Node, most: u128) {
        self.edges.push((from, to, most));
    }

    pub(crate) fn feed(&mut self, to: Node, amount: u128) {
        self.feeds.push((self.edges.len(), to, amount));
    }

    /// Makes a node a terminal: what comes to it stays.
    pub(crate) fn terminal(&mut self, node: Node) {
        self.terminals.push(node);
    }

    pub(crate) fn edges(&self) -> usize {
        self.edges.len()
    }

    /// For each terminal, in the order they were made, the least and the most that it can get.
    pub(crate) fn bounds(&self) -> Vec<(u128, u128)> {
        let (most, least) = self.cheap_bounds();
        let mut network = Network::new(self);
        self.terminals
            .iter()
            .map(|terminal| {
                let at = *terminal as usize;
                if most[at] == least[at] {
                    return (least[at], most[at]);
                }
                let high = network.reroute(*terminal, Way::In, most[at]);
                let low = network.reroute(*terminal, Way::Out, least[at]);
                (low, high)
            })
            .collect()
    }

    /// Per node: at most the sum of what its edges can bring, at least what no other edge can take.
    fn cheap_bounds(&self) -> (Vec<u128>, Vec<u128>) {
        let nodes = self.nodes as usize;
        let (mut most, mut least, mut leaving) = (vec![0u128; nodes], vec![0u128; nodes], vec![0u128; nodes]);
        let mut edge_most = Vec::with_capacity(self.edges.len());
        self.in_order(|step| match step {
            Entry::Feed(to, amount) => most[to] += amount,
            Entry::Edge(from, to, limit) => {
                let here = limit.min(most[from]);
                most[to] += here;
                leaving[from] += here;
                edge_most.push(here);
            }
        });
        let mut at = 0;
        self.in_order(|step| match step {
            Entry::Feed(to, amount) => least[to] += amount,
            Entry::Edge(from, to, _) => {
                let others = leaving[from] - edge_most[at];
                least[to] += least[from].saturating_sub(others);
                at += 1;
            }
        });
        (most, least)
    }

    fn in_order(&self, mut visit: impl FnMut(Entry)) {
        let mut feeds = self.feeds.iter().peekable();
        for (at, (from, to, limit)) in self.edges.iter().enumerate() {
            while let Some((_, node, amount)) = feeds.next_if(|(before, ..)| *before <= at) {
                visit(Entry::Feed(*node as usize, *amount));
            }
            visit(Entry::Edge(*from as usize, *to as usize, *limit));
        }
        for (_, node, amount) in feeds {
            visit(Entry::Feed(*node as usize, *amount));
        }
    }
}

enum Entry {
    Feed(usize, u128),
    Edge(usize, usize, u128),
}

/// Whether a terminal is to gain or to lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// The network with a flow on it. Arc `2e` is edge `e`, arc `2e + 1` is its way back; `room` is what an arc can still take.
struct Network {
    heads: Vec<u32>,
    room: Vec<u128>,
    /// Arcs by their tail: `arcs[first[v]..first[v + 1]]`.
    arcs: Vec<u32>,
    first: Vec<u32>,
    /// How much rests at a terminal; nothing elsewhere.
    resting: Vec<u128>,
    is_terminal: Vec<bool>,
    // Search state, valid where the stamp is the current search's.
    stamp: Vec<u32>,
    layer: Vec<u32>,
    next_arc: Vec<u32>,
    /// Whether a wandering search is on this node, or has found that nothing lies behind it.
    closed: Vec<bool>,
    search: u32,
}

impl Network {
    fn new(draft: &Draft) -> Self {
        let nodes = draft.nodes as usize;
        // The first flow: everything goes along the first edge that takes it.
        let mut here = vec![0u128; nodes];
        let mut room = Vec::with_capacity(2 * draft.edges.len());
        draft.in_order(|step| match step {
            Entry::Feed(to, amount) => here[to] += amount,
            Entry::Edge(from, to, limit) => {
                let flow = here[from].min(limit);
                here[from] -= flow;
                here[to] += flow;
                room.extend([limit - flow, flow]);
            }
        });
        let mut is_terminal = vec![false; nodes];
        for terminal in &draft.terminals {
            is_terminal[*terminal as usize] = true;
        }
        let resting = here.iter().zip(&is_terminal).map(|(here, is)| if *is { *here } else { 0 }).collect();
        let mut heads = Vec::with_capacity(2 * draft.edges.len());
        let mut first = vec![0u32; nodes + 1];
        for (from, to, _) in &draft.edges {
            heads.extend([*to, *from]);
            first[*from as usize + 1] += 1;
            first[*to as usize + 1] += 1;
        }
        for node in 0..nodes {
            first[node + 1] += first[node];
        }
        let mut places = first.clone();
        let mut arcs = vec![0u32; heads.len()];
        for arc in 0..heads.len() {
            // The tail of an arc is the head of its way back.
            let tail = heads[arc ^ 1] as usize;
            arcs[places[tail] as usize] = u32::try_from(arc).expect("a cone has fewer than 2^31 edges");
            places[tail] += 1;
        }
        Self {
            heads,
            room,
            arcs,
            first,
            resting,
            is_terminal,
            stamp: vec![0; nodes],
            layer: vec![0; nodes],
            next_arc: vec![0; nodes],
            closed: vec![false; nodes],
            search: 0,
        }
    }

    /// Leads as much as possible to (or away from) a terminal and says what then rests there. Stops at `bound`, which
    /// it is known not to pass.
    fn reroute(&mut self, terminal: Node, way: Way, bound: u128) -> u128 {
        let at = terminal as usize;
        for _ in 0..WANDERINGS_MAX {
            if self.resting[at] == bound || !self.wander(terminal, way, bound) {
                return self.resting[at];
            }
        }
        while self.resting[at] != bound {
            let Some(layers) = self.find_layers(terminal, way) else { break };
            let before = self.resting[at];
            self.block(terminal, way, bound, layers);
            if self.resting[at] == before {
                break;
            }
        }
        self.resting[at]
    }

    /// Leads flow along paths as a depth-first search finds them, until no arc is untried. Gives back whether there was
    /// any path: a search that finds none has seen everything that can be reached, so there is none.
    fn wander(&mut self, terminal: Node, way: Way, bound: u128) -> bool {
        self.search += 1;
        let start = terminal as usize;
        let mut path: Vec<u32> = Vec::new();
        let mut node = start;
        let mut found = false;
        self.enter(start);
        loop {
            if self.is_partner(node, start, way) {
                found = true;
                self.push_along(&path, start, node, way, bound);
                if self.resting[start] == bound {
                    return true;
                }
                node = self.retreat(&mut path, way);
                continue;
            }
            match self.untried(node, way) {
                Some(arc) => {
                    path.push(arc);
                    node = self.heads[arc as usize] as usize;
                    self.enter(node);
                }
                None => {
                    let Some(arc) = path.pop() else { return found };
                    node = self.heads[arc as usize ^ 1] as usize;
                }
            }
        }
    }

    /// After a push: back to where the path is full, or off a partner that has given all it had. What is left behind
    /// may be entered again.
    fn retreat(&mut self, path: &mut Vec<u32>, way: Way) -> usize {
        let full = path.iter().position(|arc| self.room[Self::moving(way, *arc)] == 0);
        let keep = full.unwrap_or(path.len() - 1);
        let node = self.heads[path[keep] as usize ^ 1] as usize;
        for arc in path.drain(keep..) {
            self.closed[self.heads[arc as usize] as usize] = false;
        }
        node
    }

    fn enter(&mut self, node: usize) {
        if self.stamp[node] != self.search {
            self.stamp[node] = self.search;
            self.next_arc[node] = self.first[node + 1];
        }
        self.closed[node] = true;
    }

    /// The next arc to try from a node, last one first: time order puts a node's edges out behind its edges in, and
    /// down is where partners are.
    fn untried(&mut self, node: usize, way: Way) -> Option<u32> {
        while self.next_arc[node] > self.first[node] {
            let arc = self.arcs[self.next_arc[node] as usize - 1];
            let head = self.heads[arc as usize] as usize;
            let is_closed = self.stamp[head] == self.search && self.closed[head];
            if !is_closed && self.room[Self::moving(way, arc)] > 0 {
                return Some(arc);
            }
            self.next_arc[node] -= 1;
        }
        None
    }

    /// The arc along which flow moves when the search steps over `arc` away from the terminal.
    fn moving(way: Way, arc: u32) -> usize {
        // Towards the terminal flow comes against the search, away from it along the search.
        match way {
            Way::In => arc as usize ^ 1,
            Way::Out => arc as usize,
        }
    }

    fn is_partner(&self, node: usize, terminal: usize, way: Way) -> bool {
        node != terminal && self.is_terminal[node] && (way == Way::Out || self.resting[node] > 0)
    }

    /// Layers by distance from the terminal, up to the nearest partner; `None` where there is no partner.
    fn find_layers(&mut self, terminal: Node, way: Way) -> Option<u32> {
        self.search += 1;
        let start = terminal as usize;
        self.mark(start, 0);
        let mut frontier = vec![terminal];
        let mut depth = 0;
        while !frontier.is_empty() {
            let mut next = Vec::new();
            let mut found = false;
            depth += 1;
            for node in frontier {
                for place in self.first[node as usize]..self.first[node as usize + 1] {
                    let arc = self.arcs[place as usize];
                    let head = self.heads[arc as usize] as usize;
                    if self.stamp[head] != self.search && self.room[Self::moving(way, arc)] > 0 {
                        self.mark(head, depth);
                        found |= self.is_partner(head, start, way);
                        next.push(self.heads[arc as usize]);
                    }
                }
            }
            if found {
                return Some(depth);
            }
            frontier = next;
        }
        None
    }

    fn mark(&mut self, node: usize, layer: u32) {
        self.stamp[node] = self.search;
        self.layer[node] = layer;
        self.next_arc[node] = self.first[node];
    }

    /// A blocking flow over the layers: paths from the terminal to partners in the last layer until there is none.
    fn block(&mut self, terminal: Node, way: Way, bound: u128, last: u32) {
        let start = terminal as usize;
        let mut path: Vec<u32> = Vec::new();
        let mut node = start;
        loop {
            if self.layer[node] == last && self.is_partner(node, start, way) {
                self.push_along(&path, start, node, way, bound);
                if self.resting[start] == bound {
                    return;
                }
                path.clear();
                node = start;
                continue;
            }
            match self.step(node, way, last) {
                Some(arc) => {
                    path.push(arc);
                    node = self.heads[arc as usize] as usize;
                }
                None => {
                    let Some(arc) = path.pop() else { return };
                    node = self.heads[arc as usize ^ 1] as usize;
                    self.next_arc[node] += 1;
                }
            }
        }
    }

    /// The next arc from a node into the following layer.
    fn step(&mut self, node: usize, way: Way, last: u32) -> Option<u32> {
        if self.layer[node] >= last {
            return None;
        }
        while self.next_arc[node] < self.first[node + 1] {
            let arc = self.arcs[self.next_arc[node] as usize];
            let head = self.heads[arc as usize] as usize;
            let ahead = self.stamp[head] == self.search && self.layer[head] == self.layer[node] + 1;
            if ahead && self.room[Self::moving(way, arc)] > 0 {
                return Some(arc);
            }
            self.next_arc[node] += 1;
        }
        None
    }

    fn push_along(&mut self, path: &[u32], start: usize, partner: usize, way: Way, bound: u128) {
        let (giver, taker, limit) = match way {
            Way::In => (partner, start, bound - self.resting[start]),
            Way::Out => (start, partner, self.resting[start] - bound),
        };
        let narrowest = path.iter().map(|arc| self.room[Self::moving(way, *arc)]).min().unwrap_or(0);
        let amount = narrowest.min(limit).min(self.resting[giver]);
        for arc in path {
            let moving = Self::moving(way, *arc);
            self.room[moving] -= amount;
            self.room[moving ^ 1] += amount;
        }
        self.resting[giver] -= amount;
        self.resting[taker] += amount;
    }
}

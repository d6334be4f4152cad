//! YAML: bounded in depth and size whatever aliases do, every node in its place, one clear line for a fault.
#![no_main]

use decode::yaml::{self, Node, Value, YAML_DEPTH_MAX, YAML_NODES_MAX};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| match yaml::parse(data) {
    Ok(root) => {
        // A value that the end of the file cuts off stands on the line after it.
        let lines = 1 + data.split(|byte| matches!(byte, b'\n' | b'\r')).count() as u64;
        let nodes = count(&root, lines, 0);
        assert!(nodes <= YAML_NODES_MAX, "{nodes} nodes");
    }
    Err(fault) => tracehound_fuzz::assert_message(&fault),
});

fn count(node: &Node, lines: u64, depth: usize) -> usize {
    assert!(depth <= YAML_DEPTH_MAX, "{depth} levels deep");
    assert!((1..=lines).contains(&node.line), "line {} of {lines}", node.line);
    let below = |node| count(node, lines, depth + 1);
    1 + match &node.value {
        Value::Scalar { .. } => 0,
        Value::List(items) => items.iter().map(below).sum(),
        Value::Map(entries) => entries.iter().map(|(key, value)| below(key) + below(value)).sum(),
    }
}

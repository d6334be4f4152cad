//! Progress on standard error: a bar with rate and time left where somebody watches, silence where nobody does.

use feed::{Phase, Progress, Step};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that starts anew with each phase.
pub struct Bar {
    name: String,
    bar: Option<(Phase, ProgressBar)>,
}

impl Bar {
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), bar: None }
    }

    /// Takes the bar away.
    pub fn clear(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Progress for Bar {
    fn step(&mut self, step: Step) {
        if self.bar.as_ref().is_none_or(|(phase, _)| *phase != step.phase) {
            self.clear();
            let bar = ProgressBar::with_draw_target(step.total, ProgressDrawTarget::stderr_with_hz(5));
            let template = match (step.phase, step.total) {
                (Phase::Ordering, _) => "{prefix} {msg} {human_pos} ({per_sec})",
                (Phase::Indexing, _) => "{prefix} {msg} [{bar:24}] {pos}/{len} files",
                (_, Some(_)) => "{prefix} {msg} [{bar:24}] {bytes}/{total_bytes} ({bytes_per_sec}, {eta} left)",
                (_, None) => "{prefix} {msg} {bytes} ({bytes_per_sec})",
            };
            bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
            bar.set_prefix(self.name.clone());
            bar.set_message(match step.phase {
                Phase::Spooling => "copying",
                Phase::Checking => "checking",
                Phase::Indexing => "indexing",
                Phase::Ordering => "ordering",
                Phase::Filling => "filling",
            });
            self.bar = Some((step.phase, bar));
        }
        if let Some((_, bar)) = &self.bar {
            bar.set_position(step.done);
        }
    }
}

/// A bar for each stage of bringing clusters and exposure up.
pub struct Stages {
    name: String,
    bar: Option<(upkeep::Stage, ProgressBar)>,
}

impl Stages {
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), bar: None }
    }

    /// Shows a step.
    pub fn step(&mut self, step: upkeep::Step) {
        if self.bar.as_ref().is_none_or(|(stage, _)| *stage != step.stage) {
            self.clear();
            let bar = ProgressBar::with_draw_target(Some(step.total), ProgressDrawTarget::stderr_with_hz(5));
            let template = "{prefix} {msg} [{bar:24}] {human_pos}/{human_len} ({per_sec}, {eta} left)";
            bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
            bar.set_prefix(self.name.clone());
            bar.set_message(step.stage.as_str());
            self.bar = Some((step.stage, bar));
        }
        if let Some((_, bar)) = &self.bar {
            bar.set_position(step.done);
        }
    }

    /// Takes the bar away.
    pub fn clear(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        self.clear();
    }
}

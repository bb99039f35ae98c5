//! One call of the translator: its workers share the supply of jobs until that ends.
use super::{
    BatchFill, Jobs, ModelIdentity, Outcome, Translate, Translator,
    worker::{Shared, Worker},
};
use crate::{Result, decode::DecodeOptions};

impl Translate for Translator {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn batch_fill(&self) -> Option<BatchFill> {
        Some(self.stats().batch_fill(self.engine.hypotheses))
    }

    fn decode_options(&self) -> DecodeOptions {
        (*self.options).clone()
    }

    fn translate_supply(
        &self,
        jobs: &mut dyn Jobs,
        done: &mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send),
    ) -> Result<()> {
        let shared = Shared::new(jobs, done);
        std::thread::scope(|scope| {
            // The worker itself runs on a thread of its pool, so that all parallel work stays in it.
            let work = |pool: &rayon::ThreadPool| pool.install(|| Worker::new(self, &shared).run());
            let mut pools = self.pools.iter();
            let own = pools.next();
            for pool in pools {
                // With fewer threads than were asked for the work takes longer; that is all.
                if std::thread::Builder::new().spawn_scoped(scope, move || work(pool)).is_err() {
                    break;
                }
            }
            if let Some(pool) = own {
                work(pool);
            }
        });
        Ok(())
    }
}

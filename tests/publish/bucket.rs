//! The same over the protocol of S3, against a server that behaves as badly as the documentation allows.

use crate::project::{Files, NOW, changed, public, small};
use crate::s3_server::{Profile, S3Server};
use crate::watch::Judge;
use crate::world::{Publisher, compiled, in_memory, spec};

#[test]
fn a_bucket_whose_answers_get_lost_ends_up_as_one_whose_do_not() {
    let (project, spec) = (in_memory(small()), spec("main", &[]));
    let first = compiled(&project, "out", NOW, &[]);
    project.edit("tenants/bolt.yaml", "plan: starter", "plan: business");
    let second = compiled(&project, "out", NOW, &[]).descending_from(&spec, first.point(&spec));
    let publish = |server: &S3Server| -> Files {
        let store = server.store();
        for made in [&first, &second] {
            let publisher = Publisher { at_once: 8, ..Publisher::new("one", made, &spec) };
            publisher.publish(&store).expect("every answer is settled");
        }
        let judge = Judge::new(project.root(), crate::project::time(NOW));
        second.index.tenants.keys().try_for_each(|addr| judge.tenant(&store, addr)).expect("a client is content");
        server.contents()
    };
    let good = publish(&S3Server::start(Profile::good()));
    let bad = Profile { lost_answers: 12, conflicts: 5, slow_downs: 5, ..Profile::good() };
    let bad = publish(&S3Server::start(bad));
    assert_eq!(changed(&good, &bad), [""; 0]);
    assert!(public(good).len() > 10);
}

//! A node on this machine: steps, inputs and launches that fail.

use super::*;
use crate::change::{Expect, Step};
use crate::transport::local::LocalTransport;

struct Here;

#[async_trait]
impl Connector for Here {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(Arc::new(LocalTransport))
    }
}

fn placed(step: Step) -> PlacedStep {
    PlacedStep {
        step,
        user: None,
        owes: Vec::new(),
        pays: Vec::new(),
        stops: true,
    }
}

async fn here(base: &str) -> Node {
    let mut node = Node::connect(Box::new(Here), Privilege::Login, true, "root", "r1")
        .await
        .expect("this machine answers");
    node.base = base.to_owned();
    let info = LeaseInfo {
        holder: "a@b".to_owned(),
        command: "test".to_owned(),
        since: String::new(),
    };
    let said = node
        .read(&lease::claim_text(base, "r1", &info))
        .await
        .expect("read");
    assert_eq!(lease::parse_claim(&said), Some(Claim::Mine));
    node
}

#[tokio::test]
async fn steps_take_their_inputs_from_the_stream_and_results_come_back() {
    let folder = tempfile::tempdir().expect("tempdir");
    let base = folder.path().to_str().expect("utf-8");
    let mut node = here(base).await;
    let target = folder.path().join("out");
    let target = target.to_str().expect("utf-8");
    let bytes: Arc<[u8]> = (0..200_000u32).map(|n| n as u8).collect();
    for round in 1..=2 {
        let write = Step::new("write", format!("cat \"$IN1\" \"$IN2\" >{target}"))
            .input(Content::Bytes(bytes.clone()))
            .input(Content::Bytes(Arc::from(&b"tail\n12\n"[..])))
            .verify(Expect::Path {
                path: target.to_owned(),
                kind: Some('f'),
                mode: None,
                owner: None,
                group: None,
                sha256: None,
                target: None,
            });
        let (end, _) = node
            .run_steps(&[placed(write)], &Missing::default())
            .await
            .expect("runs");
        assert!(
            matches!(end.steps[0], StepEnd::Ran { rc: 0, .. }),
            "{end:?}"
        );
        assert_eq!(node.round_trips, 1 + round);
        assert_eq!(std::fs::read(target).expect("there").len(), 200_008);
    }
    assert_eq!(node.read("printf hi").await.expect("read"), b"hi");
}

#[tokio::test]
async fn a_script_that_finds_no_room_starts_nothing() {
    let folder = tempfile::tempdir().expect("tempdir");
    let base = folder.path().to_str().expect("utf-8");
    let mut node = here(base).await;
    // Its folder is taken already, as by a run that reuses a name: nothing may be overwritten.
    std::fs::create_dir_all(folder.path().join("steps/r1/1")).expect("folder");
    let step = Step::new("touch", format!("touch {base}/ran"));
    let error = node
        .run_steps(&[placed(step)], &Missing::default())
        .await
        .expect_err("refused");
    assert!(matches!(error, NodeError::Launch(_)), "{error:?}");
    assert!(!folder.path().join("ran").exists());
    assert_eq!(node.read("printf hi").await.expect("a new shell"), b"hi");
}

//! `pause` with a question: asked once for a batch, when all hosts have come so far; answered for all.

use std::sync::Arc;
use std::time::Duration;

use hadeploy::engine::Questions;
use hadeploy::event::{Event, Mode, Status};
use tokio::sync::mpsc;

use crate::bench::{Bench, Told};

/// Applies, and answers what is asked; nothing more when there are no more answers. `seen` looks at each question.
async fn answered(
    bench: &mut Bench,
    plays: &str,
    answers: &[&str],
    mut seen: impl FnMut(&Bench, &str),
) -> Told {
    let questions = Arc::new(Questions::default());
    bench.questions = Some(questions.clone());
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let run = tokio::spawn(bench.engine(Mode::Apply, plays, "asking", sender));
    let mut answers = answers.iter();
    let mut events = Vec::new();
    let mut open = Vec::new();
    while let Some(event) = receiver.recv().await {
        if let Event::Paused {
            words,
            hidden: Some(_),
            ..
        } = &event
        {
            seen(bench, words);
            let place = questions.take().expect("one question, one place");
            match answers.next() {
                Some(answer) => place.send((*answer).to_owned()).expect("waited for"),
                None => open.push(place),
            }
        }
        events.push(event);
    }
    let recap = run.await.expect("the run ends");
    assert!(open.iter().all(|place| place.is_closed()));
    Told { events, recap }
}

fn play(head: &str, pause: &str) -> String {
    format!(
        r#"- hosts: all
  gather_facts: false
{head}  tasks:
    - {{name: before, shell: "sleep 0.2; touch {{{{ dir }}}}/before"}}
    - name: ask
      pause: {pause}
      register: said
    - name: after
      copy: {{content: "<{{{{ said.user_input }}}}>", dest: "{{{{ dir }}}}/after"}}
      when: said.user_input != 'no'
"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_asks_and_all_get_the_answer() {
    let mut bench = Bench::new(&["a", "b", "c"]);
    let mut asked = Vec::new();
    let plays = play("", "{prompt: \"release for {{ play_hosts | length }}?\"}");
    let told = answered(&mut bench, &plays, &["v2 "], |bench, words| {
        for host in &bench.hosts {
            assert!(host.path("before").exists(), "{} is not so far", host.name);
            assert!(!host.path("after").exists());
        }
        asked.push(words.to_owned());
    })
    .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(asked, ["release for 3?"]);
    for host in &bench.hosts {
        assert_eq!(host.read("after"), "<v2 >", "{}", told.story());
    }
    let asks: Vec<_> = told.tasks().filter(|task| &*task.task == "ask").collect();
    assert_eq!(asks.len(), 1, "{}", told.story());
    assert_eq!(asks[0].status, Status::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_batch_is_asked_for() {
    let mut bench = Bench::new(&["a", "b"]);
    let mut asked = 0;
    let plays = play("  serial: 1\n", "{echo: true}");
    let told = answered(&mut bench, &plays, &["", "no"], |bench, words| {
        assert!(words.starts_with("Press Enter"), "{words}");
        assert_eq!(bench.hosts[1].path("before").exists(), asked == 1);
        asked += 1;
    })
    .await;
    assert_eq!((told.recap.exit_code, asked), (0, 2), "{}", told.story());
    assert_eq!(bench.hosts[0].read("after"), "<>");
    assert!(!bench.hosts[1].path("after").exists(), "{}", told.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_may_be_judged_asked_again_and_secret() {
    let mut bench = Bench::new(&["a"]);
    let plays = r#"- hosts: all
  gather_facts: false
  tasks:
    - name: ask
      pause: {prompt: yes or no, echo: false}
      register: said
      until: said.user_input in ['yes-of-course', 'no']
      retries: 5
      delay: 0
    - {name: show, debug: {var: said.user_input}}
    - name: judged
      pause: {prompt: once more}
      register: more
      failed_when: more.user_input != 'good'
"#;
    let typed = ["well", "yes-of-course", "bad"];
    let mut asked = 0;
    let told = answered(&mut bench, plays, &typed, |_, _| asked += 1).await;
    assert_eq!((told.recap.exit_code, asked), (3, 3), "{}", told.story());
    let show = told
        .tasks()
        .find(|task| &*task.task == "show")
        .expect("shown");
    assert!(show.msg.contains("(masked)"), "{}", show.msg);
    assert!(!told.story().contains("yes-of-course"));
    assert_eq!(told.status("judged"), Some(Status::Failed));
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_it_asks_ends_the_run() {
    let mut bench = Bench::new(&["a", "b"]);
    let interrupt = bench.interrupt.clone();
    let plays = play("", "{prompt: go on}");
    let asked = answered(&mut bench, &plays, &[], move |_, _| interrupt.cancel());
    let told = tokio::time::timeout(Duration::from_secs(30), asked)
        .await
        .expect("it ends");
    assert_eq!(told.recap.exit_code, 130, "{}", told.story());
    assert!(bench.hosts.iter().all(|host| !host.path("after").exists()));
    assert!(bench.hosts.iter().all(|host| !host.leased()), "given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_ends_a_question() {
    let mut bench = Bench::new(&["a"]);
    let plays = play("", "{prompt: go on}\n      timeout: 1");
    let told = answered(&mut bench, &plays, &[], |_, _| {}).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert!(
        told.story().contains("nobody answered within 1 s"),
        "{}",
        told.story()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_be_asked_it_goes_on() {
    let bench = Bench::new(&["a", "b"]);
    let told = bench.apply(&play("", "{prompt: go on}")).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(
        told.warnings(),
        ["`ask` asks, and nobody can be asked: it goes on with an empty answer"]
    );
    for host in &bench.hosts {
        assert_eq!(host.read("after"), "<>", "{}", told.story());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_does_not_ask_and_says_what_waits_for_the_answer() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.questions = Some(Arc::default());
    let told = bench.plan(&play("", "{prompt: go on}")).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let asks = |event: &Event| matches!(event, Event::Paused { .. });
    assert!(!told.events.iter().any(asks));
    assert_eq!(told.status("ask"), Some(Status::Ok), "{}", told.story());
    let after = told.tasks().filter(|task| &*task.task == "after");
    let known: Vec<_> = after.map(|task| task.known_after.as_deref()).collect();
    assert_eq!(known, [Some("ask"), Some("ask")], "{}", told.story());
}

/// A pause that only waits says what for, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_word_for_who_reads_along_is_said_once() {
    let bench = Bench::new(&["a", "b"]);
    let told = bench
        .apply(&play("", "{seconds: 1, prompt: the caches fill}"))
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let said: Vec<&str> = told
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Paused {
                words,
                hidden: None,
                ..
            } => Some(words.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(said, ["the caches fill"]);
    assert_eq!(bench.host().read("after"), "<>");
}

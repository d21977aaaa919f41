//! Answers of HAProxy 2.6 and 3.0, and what they mean.

use super::*;

const STAT: &str = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,status,weight,check_status,last_chk,srv_icur\n\
    app,n1,1,0,3,5,,9,UP,1,L7OK,\"OK, \"\"fine\"\"\",3\n\
    app,n2,0,0,0,5,,9,DOWN,1,L7STS,503,\n\n";

const STATE: &str = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight\n\
    3 app 1 n1 10.77.2.12 2 0 1\n3 app 2 n2 10.77.2.13 0 8 1\n\n";

#[test]
fn statistics_and_states_are_read_by_the_names_of_columns() {
    let stats = stats(STAT).unwrap();
    assert_eq!(stats.len(), 2);
    assert_eq!(
        (stats[0].sessions, stats[0].idle, stats[0].check.as_str()),
        (4, 3, "L7OK")
    );
    assert_eq!(stats[1].idle, 0);
    assert_eq!(admin_state(STATE, "n2"), Some((0, 8)));
    assert_eq!(admin_state(STATE, "n9"), None);
    assert_eq!(super::stats("Permission denied\n"), None);
    assert_eq!(admin_state("Can't find backend.\n", "n1"), None);
}

#[test]
fn answers_are_taken_apart_by_length() {
    assert_eq!(
        answers("3\na\nb1\n\n"),
        Some(vec!["a\nb".into(), "\n".into()])
    );
    assert_eq!(answers(""), Some(vec![]));
    assert_eq!(answers("9\nshort"), None);
    assert_eq!(answers("no length\n"), None);
}

fn view(host: &str, operation: u32, administration: u32, sessions: u64) -> View {
    let stat = Stat {
        backend: "app".into(),
        server: "n1".into(),
        status: "DOWN".into(),
        sessions,
        idle: 0,
        check: "L7STS".into(),
    };
    View::new(host, &stat, (operation, administration))
}

#[test]
fn the_worst_view_counts() {
    let up = view("lb1", 2, 0, 1);
    assert_eq!(service(std::slice::from_ref(&up)), Service::In);
    assert_eq!(
        service(&[up.clone(), view("lb2", 2, 8, 0)]),
        Service::Draining
    );
    assert_eq!(
        service(&[view("lb1", 2, 8, 1), view("lb2", 2, 8, 0)]),
        Service::Draining
    );
    // Drained or in maintenance it is out, whatever its health.
    assert_eq!(
        service(&[view("lb1", 0, 8, 0), view("lb2", 0, 1, 0)]),
        Service::Out
    );
    let down = service(&[up, view("lb2", 0, 0, 0)]);
    assert_eq!(down, Service::Down("app at lb2 is DOWN (L7STS)".into()));
    // A server that comes up slowly is not in yet.
    assert!(matches!(service(&[view("lb1", 1, 0, 0)]), Service::Down(_)));
}

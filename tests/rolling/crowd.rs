//! Visitors of all manners at the same time, through the balancer.

use std::net::SocketAddr;
use std::time::Duration;

use hadeploy::lab::{Lab, Load, Manner, Visit, Visitors};

/// They go home by themselves then, should nobody send them.
const LONGEST: Duration = Duration::from_secs(900);

/// Visitors who are there now.
pub struct Crowd(Vec<(Manner, Visit)>);

/// So many connections of each manner, and how long each visitor waits between two requests.
#[derive(Clone, Copy)]
pub struct Size {
    /// Connections that are kept.
    pub keep: u16,
    /// Connections made for each request.
    pub close: u16,
    /// Connections with answers that take ten seconds.
    pub slow: u16,
    /// Between an answer and the next request.
    pub pause: Duration,
}

/// A small one: about 300 requests in a second.
pub const SMALL: Size = Size {
    keep: 50,
    close: 8,
    slow: 0,
    pause: Duration::from_millis(150),
};

/// With everything: about 1000 requests in a second on 360 connections.
pub const LARGE: Size = Size {
    keep: 280,
    close: 40,
    slow: 40,
    pause: Duration::from_millis(250),
};

impl Crowd {
    /// They come.
    pub fn come(lab: &Lab, size: Size) -> Crowd {
        let address = SocketAddr::from((lab.address("lb1").unwrap(), 443));
        let groups = [
            (Manner::Keep, size.keep),
            (Manner::Close, size.close),
            (Manner::Slow, size.slow),
        ];
        let visits = groups
            .into_iter()
            .filter(|(_, connections)| *connections > 0)
            .map(|(manner, connections)| {
                let visitors = Visitors {
                    address,
                    manner,
                    connections,
                    pause: size.pause,
                    time: LONGEST,
                };
                (manner, visitors.start(&|_| {}).unwrap())
            });
        let crowd = Crowd(visits.collect());
        // All of them are there, and have been answered.
        std::thread::sleep(Duration::from_secs(2));
        crowd
    }

    /// They go; none of them may have been turned away. Gives how many requests they made.
    #[track_caller]
    pub fn leave_content(self) -> u64 {
        let seen: Vec<(Manner, Load)> = self
            .0
            .into_iter()
            .map(|(manner, visit)| (manner, visit.end().unwrap()))
            .collect();
        let words: Vec<String> = seen
            .iter()
            .map(|(manner, load)| format!("{manner:?}: {load}"))
            .collect();
        let failed: u64 = seen.iter().map(|(_, load)| load.failed()).sum();
        assert_eq!(failed, 0, "{}", words.join("\n"));
        for words in words {
            println!("    {words}");
        }
        seen.iter().map(|(_, load)| load.requests).sum()
    }
}

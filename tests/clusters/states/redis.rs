//! States of redis and its sentinels.

use super::{On, State, mended, refused};

/// All that can be made on three nodes.
pub const STATES: &[State] = &[
    mended("R1 all agree", &[], &[]),
    mended(
        "R2 redis of a replica killed",
        &[(
            On::Broken,
            "systemctl kill -s KILL redis-server; systemctl stop redis-server",
        )],
        &["@ redis running"],
    ),
    mended(
        "R2 data of a replica unreadable",
        &[(
            On::Broken,
            r#"systemctl stop redis-server
file=$(ls /var/lib/redis/appendonlydir/*.base.* 2>/dev/null | head -1); : "${file:=/var/lib/redis/dump.rdb}"
echo nonsense >"$file""#,
        )],
        &["..."],
    ),
    mended(
        "R2 sentinel stopped",
        &[(On::Broken, "systemctl stop redis-sentinel")],
        &["@ sentinel running"],
    ),
    mended(
        "R3 wrong password of a replica",
        &[(
            On::Broken,
            "rcli 6379 config set masterauth wrong; rcli 6379 client kill type master",
        )],
        &["@ masterauth as wanted"],
    ),
    mended(
        "R4 replica of nobody",
        &[(On::Broken, "rcli 6379 replicaof no one")],
        &["..."],
    ),
    mended(
        "R4 replica of a replica",
        &[(On::Broken, "rcli 6379 replicaof \"$OTHER\" 6379")],
        &["..."],
    ),
    mended(
        "R5 two primaries while no sentinel runs",
        &[
            (On::Each, "systemctl stop redis-sentinel"),
            (
                On::Broken,
                "rcli 6379 replicaof no one; rcli 6379 config rewrite",
            ),
        ],
        &["..."],
    ),
    mended(
        "R6 a sentinel of another mind",
        &[(
            On::Broken,
            "rcli 26379 sentinel remove mymaster; rcli 26379 sentinel monitor mymaster \"$OTHER\" 6379 2",
        )],
        &["..."],
    ),
    mended(
        "R7 a sentinel made anew",
        &[(
            On::Broken,
            r#"systemctl stop redis-sentinel
sed -i '/^sentinel myid/d; /^sentinel known-/d' /etc/redis/sentinel.conf
systemctl start redis-sentinel"#,
        )],
        &["..."],
    ),
    State {
        behind: &[(On::Primary, "ip addr del \"${PRIMARY%.*}.200/32\" dev lo")],
        ..refused(
            "R7 a sentinel of nobody",
            &[(
                On::Primary,
                r#"ip addr add "${PRIMARY%.*}.200/32" dev lo
rcli 6379 publish __sentinel__:hello "${PRIMARY%.*}.200,26379,$(printf '%040d' 7),0,mymaster,$PRIMARY,6379,0""#,
            )],
            &[],
            "the sentinels know a member at ",
            &["apply", "-e", "redis_forget=%.200"],
        )
    },
    mended(
        "R8 two sentinels of one id",
        &[(
            On::Broken,
            r#"id=$(REDISCLI_AUTH=$redis_password redis-cli $tls -h "$PRIMARY" -p 26379 sentinel myid)
systemctl stop redis-sentinel
sed -i "s/^sentinel myid .*/sentinel myid $id/; /^sentinel known-sentinel .*$id/d" /etc/redis/sentinel.conf
systemctl start redis-sentinel"#,
        )],
        &["..."],
    ),
    mended(
        "R9 sentinel watches 127.0.0.1",
        &[(
            On::Broken,
            "rcli 26379 sentinel remove mymaster; rcli 26379 sentinel monitor mymaster 127.0.0.1 6379 2",
        )],
        &["..."],
    ),
    mended(
        "R10 two sentinels stopped",
        &[
            (On::Broken, "systemctl stop redis-sentinel"),
            (On::Other, "systemctl stop redis-sentinel"),
        ],
        &["@ sentinel running", "O sentinel running"],
    ),
    State {
        leads: On::Any,
        ..mended(
            "R11 redis of the primary stopped",
            &[(On::Primary, "systemctl stop redis-server")],
            &["P redis running"],
        )
    },
    mended(
        "R11 redis of the primary hangs for a moment",
        &[(
            On::Primary,
            "systemctl kill -s STOP redis-server; systemd-run -q --collect sh -c 'sleep 3; systemctl kill -s CONT redis-server'",
        )],
        &[],
    ),
    mended(
        "R12 a replica may not take over",
        &[(On::Broken, "rcli 6379 config set replica-priority 0")],
        &["..."],
    ),
    mended(
        "R13 a sentinel that stood still",
        &[(
            On::Broken,
            "systemctl kill -s STOP redis-sentinel; sleep 6; systemctl kill -s CONT redis-sentinel; sleep 1",
        )],
        &[],
    ),
    mended(
        "R14 folder of redis not its own",
        &[(
            On::Broken,
            "chown root:root /etc/redis; chmod 755 /etc/redis",
        )],
        &["..."],
    ),
    mended(
        "R15 writes refused for want of memory",
        &[(On::Primary, "rcli 6379 config set maxmemory 1mb")],
        &["..."],
    ),
    mended(
        "R15 writes refused for want of replicas",
        &[
            (On::Broken, "systemctl stop redis-server"),
            (On::Other, "systemctl stop redis-server"),
        ],
        &["@ redis running", "O redis running"],
    ),
    State {
        leads: On::Any,
        ..mended(
            "R16 all stopped",
            &[
                (On::Each, "systemctl stop redis-sentinel"),
                (On::Each, "systemctl stop redis-server"),
            ],
            &["..."],
        )
    },
];

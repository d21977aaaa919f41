//! Damaged files are refused, or read; nothing else happens.

use hadeploy::inventory::{HostPattern, Inventory};
use hadeploy::playbook::{Options, Project};
use hadeploy::template::Templates;
use hadeploy::vault::Keyring;

use crate::Folder;
use crate::kinds::KINDS;

const SITE: &str = "\
- name: 'the {{ x }}'
  hosts: web:!db[0]
  vars: {a: '{{ b }}', \"c\": [1, 0o7, ~]}
  tasks:
    - command: ls 'é' creates=/x {{ a }}
      when: [a is defined, b == 'ü']
      loop: [1, {k: v}]
      loop_control: {label: '{{ item }}'}
      notify: h
    - action: copy src=a dest=/b
    - import_tasks: more.yml
      vars: {z: |
        folded
        }
  handlers:
    - {name: h, debug: {msg: '{{ ansible_facts.hostname }}'}}
";

const HOSTS: &str = "\
web: {hosts: {'w[1:3]': {ansible_port: 22, é: 'ü'}}, children: {db: {hosts: {d: }}}}
all: {vars: {x: '{% if y %}1{% endif %}'}}
";

/// Small numbers in a fixed order that looks like none.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }
}

/// Takes characters out, doubles them, and puts others in.
pub fn damage(text: &str, dice: &mut Dice) -> String {
    const ODD: &[char] = &[
        '{', '}', '[', ']', ':', '-', '\'', '"', '\n', '\t', ' ', '%', '&', '*', 'é', '|', '!',
        ',', '\\', '=',
    ];
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(chars.len());
        match dice.roll(4) {
            0 => {
                chars.remove(at);
            }
            1 => chars[at] = ODD[dice.roll(ODD.len())],
            2 => chars.insert(at, ODD[dice.roll(ODD.len())]),
            _ => {
                let end = (at + dice.roll(20)).min(chars.len());
                chars.drain(at..end);
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn damaged_projects_end_in_diagnostics_that_can_be_shown() {
    let mut dice = Dice(7);
    let mut with_faults = 0;
    for _ in 0..400 {
        let (site, hosts) = (damage(SITE, &mut dice), damage(HOSTS, &mut dice));
        let folder = Folder::new(&[
            ("site.yml", site.as_str()),
            ("hosts.yml", hosts.as_str()),
            ("more.yml", "- debug: {msg: '{{ z }}'}\n"),
        ]);
        let options = Options {
            kinds: KINDS,
            ..Options::default()
        };
        let (_, faults) = Project::load(
            &[folder.name("site.yml")],
            &[folder.name("hosts.yml")],
            &options,
            &Templates::new(),
        );
        with_faults += usize::from(!faults.is_empty());
        for fault in &faults {
            assert!(fault.render(false).starts_with(fault.severity.word()));
        }
    }
    assert!(with_faults > 200, "only {with_faults}");
}

#[test]
fn damaged_patterns_select_or_say_why() {
    let folder = Folder::new(&[("hosts.yml", HOSTS)]);
    let (inventory, _) = Inventory::load(&[folder.name("hosts.yml")], &[], &Keyring::default());
    let mut dice = Dice(11);
    for _ in 0..3000 {
        let text = damage("web*:!db[0],&~w[12]:w1[0:2]", &mut dice);
        match HostPattern::from_option("--limit", &text).and_then(|it| it.select(&inventory)) {
            Ok(matched) => assert!(matched.hosts.len() <= inventory.hosts.len()),
            Err(faults) => assert!(!faults.is_empty()),
        }
    }
}

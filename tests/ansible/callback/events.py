# Tells what became of each task as one JSON object a line, in the words of hadeploy's `--output json`.
import json
import sys

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: events
type: stdout
short_description: one JSON object a line
description: For tests that compare.
"""


def word(result):
    if result.get("skipped"):
        return "skipped"
    if result.get("failed"):
        return "failed"
    return "changed" if result.get("changed") else "ok"


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "events"

    def say(self, **fields):
        sys.stdout.write(json.dumps(fields) + "\n")
        sys.stdout.flush()

    def finished(self, result, status=None, ignored=False):
        task = result.task
        answer = result.result
        items = answer.get("results")
        looped = isinstance(items, list) and (task.loop is not None or task.loop_with)
        self.say(
            event="task",
            host=result.host.get_name(),
            task=task.get_name(),
            at=task.get_path(),
            action=task.action,
            status=status or word(answer),
            ignored=ignored,
            items=[word(item) for item in items] if looped else [],
            msg=str(answer.get("msg", ""))[:600] + str(answer.get("stderr", ""))[:300],
        )

    def v2_runner_on_ok(self, result):
        self.finished(result)

    def v2_runner_on_skipped(self, result):
        self.finished(result, "skipped")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.finished(result, "failed", ignore_errors)

    def v2_runner_on_unreachable(self, result):
        self.finished(result, "unreachable")

    def v2_playbook_on_include(self, included_file):
        for host in included_file._hosts:
            self.say(event="included", host=host.get_name())

    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self.say(event="end", hosts=hosts)

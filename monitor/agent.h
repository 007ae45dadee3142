// SPDX-License-Identifier: MIT
// The agent: schedules, probes, keeps incidents, mails, until it is told to stop.
#ifndef MONITOR_AGENT_H
#define MONITOR_AGENT_H

// Runs the agent on the configuration at `path`; returns the exit code: 0 after
// SIGTERM, 3 where it cannot start.
int agent_run(const char *path);

#endif

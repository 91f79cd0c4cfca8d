import type { Gauges } from '@gantry/control'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Control's own figures as Prometheus metrics. */
export function createGauges(registry: Registry, connectedAgents: () => number): Gauges {
  const registers = [registry]
  const buckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
  const steps = new Histogram({
    name: 'gantry_step_duration_seconds',
    help: 'Time an agent took for one step of a container.',
    labelNames: ['step', 'result'],
    buckets,
    registers,
  })
  const actions = new Histogram({
    name: 'gantry_action_duration_seconds',
    help: 'Time from an accepted request to its settled wish.',
    labelNames: ['action', 'result'],
    buckets,
    registers,
  })
  const waiting = new Gauge({
    name: 'gantry_placement_queue_depth',
    help: 'Containers that wait for a host.',
    registers,
  })
  const reports = new Counter({
    name: 'gantry_reports_total',
    help: 'States of containers that agents reported and that were written down.',
    registers,
  })
  const agents = new Gauge({
    name: 'gantry_agents_connected',
    help: 'Agents connected to this server.',
    registers: [],
    collect() {
      this.set(connectedAgents())
    },
  })
  registry.registerMetric(agents)
  const told = new Counter({
    name: 'gantry_told_total',
    help: 'Messages to receivers outside: webhooks, notifications to a message broker.',
    labelNames: ['way', 'result'],
    registers,
  })
  const failed = new Counter({
    name: 'gantry_step_failures_total',
    help: 'Steps that failed.',
    labelNames: ['step'],
    registers,
  })
  return {
    step(step, seconds, isFailed) {
      steps.observe({ step, result: isFailed ? 'error' : 'success' }, Math.max(0, seconds))
      if (isFailed) failed.inc({ step })
    },
    settled(action, seconds, isFailed) {
      actions.observe({ action, result: isFailed ? 'error' : 'success' }, Math.max(0, seconds))
    },
    reported: (count) => reports.inc(count),
    waiting: (count) => waiting.set(count),
    told: (way, delivered) => told.inc({ way, result: delivered ? 'success' : 'error' }),
  }
}

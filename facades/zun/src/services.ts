import { callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { Host } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { type Arguments, argumentsOf, flag, queryOf, requiredText, text } from './arguments.ts'
import { sendNull, type Zun } from './context.ts'
import { Refusal } from './errors.ts'
import { isoTime } from './times.ts'

/** The one kind of service a host has in Zun's words. */
const binary = 'zun-compute'

/** Services: the agents, as administrators of Zun know them. */
export function serviceRoutes(app: FastifyInstance, zun: Zun): void {
  const { hosts } = zun.control

  app.get('/services', async (request) => {
    const all = await hosts.list(callerOf(request))
    return { services: all.map(toService) }
  })

  app.put('/services/enable', async (request) => {
    const host = hostArgument(argumentsOf(request))
    return onHost(hosts.enable(callerOf(request), host)).then(toSwitch)
  })

  app.put('/services/disable', async (request) => {
    const args = argumentsOf(request)
    const reason = text(args, 'disabled_reason', 255) ?? null
    return onHost(hosts.disable(callerOf(request), hostArgument(args), reason)).then(toSwitch)
  })

  app.put('/services/force_down', async (request) => {
    const args = argumentsOf(request)
    const down = flag(args, 'forced_down', true)
    const host = await onHost(hosts.forceDown(callerOf(request), hostArgument(args), down))
    return { service: { host: host.name, binary, forced_down: host.forcedDown } }
  })

  app.delete('/services', async (request, reply) => {
    await onHost(hosts.remove(callerOf(request), hostArgument(queryOf(request))))
    return sendNull(reply, 200)
  })
}

function hostArgument(args: Arguments): string {
  const host = requiredText(args, 'host', 255)
  if (requiredText(args, 'binary', 255) !== binary) throw noService(host)
  return host
}

async function onHost<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Fault && error.code === 'host.not-found') throw noService(String(error.details['ref'] ?? ''))
    throw error
  }
}

function noService(host: string): Refusal {
  const text = `No service of that binary is on host ${host}; each host has one named ${binary}.`
  return new Refusal(404, 'zun-service-not-found', text)
}

function toSwitch(host: Host): object {
  const { name, disabled, disabledReason } = host
  return { service: { host: name, binary, disabled, disabled_reason: disabledReason } }
}

function toService(host: Host): object {
  return {
    id: host.id,
    host: host.name,
    binary,
    state: host.connected && !host.forcedDown ? 'up' : 'down',
    disabled: host.disabled,
    disabled_reason: host.disabledReason,
    forced_down: host.forcedDown,
    last_seen_up: isoTime(host.lastSeenAt),
    report_count: host.reportCount,
    availability_zone: host.availabilityZone,
    created_at: isoTime(host.createdAt),
    updated_at: isoTime(host.updatedAt),
  }
}

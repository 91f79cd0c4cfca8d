import { Fault } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import type { Control } from '../control.ts'
import type { Rights } from './rights.ts'
import { rights } from './rights.ts'

/** With no other roles than these one may look and change nothing. */
const lookOnly: ReadonlySet<string> = new Set(['reader', 'service'])

/**
 * Administrators, members, and whoever has a role that the operator made up: as in Zun, who belongs to the project may
 * change what is the project's.
 */
export function mayChange({ isAdmin, roles }: Pick<Caller, 'isAdmin' | 'roles'>): boolean {
  return isAdmin || roles.some((role) => !lookOnly.has(role.toLowerCase()))
}

/** The same use cases, each for who has the right to it; `policy.forbidden` for the others, before anything is looked up. */
export function byRoles(control: Control): Control {
  const guarded = withRights(control, rights)
  const { network } = control
  return {
    ...guarded,
    network: {
      ...guarded.network,
      networks: {
        ...guarded.network.networks,
        // Who only looks sees it once somebody else's first use has made it.
        async ensureUsual(caller) {
          if (mayChange(caller)) return network.networks.ensureUsual(caller)
          const known = (await network.networks.list(caller)).find(({ usual }) => usual === true)
          return known ?? forbid(caller)
        },
      },
    },
  }
}

function withRights<T extends object>(verbs: T, wanted: Rights<T>): T {
  const entries = Object.entries(wanted).map(([name, right]) => {
    const verb: unknown = verbs[name as keyof T]
    // A provider that lacks some of them is not to keep the server from offering the others.
    if (verb === undefined) return [name, undefined]
    if (typeof right === 'object') return [name, withRights(verb as object, right as Rights<object>)]
    const call = (verb as (...args: unknown[]) => unknown).bind(verbs)
    if (right !== 'change') return [name, call]
    const guarded = async (caller: Caller, ...rest: unknown[]) => {
      if (!mayChange(caller)) forbid(caller)
      return call(caller, ...rest)
    }
    return [name, guarded]
  })
  return Object.fromEntries(entries) as T
}

function forbid({ roles, projectName }: Caller): never {
  const held = roles.length === 0 ? 'you have no role' : `your only role is ${roles.join(' and ')}`
  throw new Fault('policy.forbidden', {
    action: 'Changing anything',
    reason: `${held} in project ${projectName}, with which one may only look`,
  })
}

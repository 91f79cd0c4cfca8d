import type { HostView } from '@gantry/facade-native/views'
import { mebibytesText, short } from '../../parts/amounts.ts'

export interface Hindrance {
  /** A sentence: why the host takes nothing, or not all. */
  readonly why: string
  readonly next: string
}

type Standing = Pick<
  HostView,
  | 'name'
  | 'connected'
  | 'forcedDown'
  | 'disabled'
  | 'disabledReason'
  | 'networkProblem'
  | 'volumeProblem'
  | 'used'
  | 'limits'
  | 'lastSeenAt'
>

const makeRoom = 'Delete what nobody needs, move containers away, or add a host.'

/** Why nothing new, or not everything, comes to a host, the gravest first; nothing where all is well. */
export function hindrancesOf(host: Standing): Hindrance[] {
  const { name, used, limits } = host
  const found: (Hindrance | false)[] = [
    !host.connected && {
      why: `It is not connected. It was last heard of ${new Date(host.lastSeenAt).toLocaleString()}; after a minute it counts as lost and its containers as Unknown.`,
      next: `Start its agent and look into the agent's log. If the machine is gone for good: gantry hosts drain --lost ${name}.`,
    },
    host.forcedDown && {
      why: 'An administrator declared it down.',
      next: `If it is up again: openstack appcontainer service forcedown ${name} zun-compute --unset.`,
    },
    host.disabled && {
      why: `It is cordoned${host.disabledReason === null ? '' : `: ${host.disabledReason}`}. What is there stays; nothing new comes.`,
      next:
        used.containers > 0 ? 'Drain it to empty it, or uncordon it to use it again.' : 'Uncordon it to use it again.',
    },
    host.networkProblem !== null && {
      why: `It cannot build networks: ${host.networkProblem}`,
      next: 'Mend that on the machine and start its agent again. Until then only containers without networks come.',
    },
    host.volumeProblem !== null && {
      why: `It cannot hold volumes: ${host.volumeProblem}`,
      next: 'Mend that on the machine and start its agent again. Until then only containers without volumes come.',
    },
    limits.containers !== null &&
      used.containers >= limits.containers && {
        why: `It is full: ${used.containers} of ${limits.containers} containers.`,
        next: `${makeRoom} The limit is --containers-per-host, or its label gantry.containers.`,
      },
    used.cpu >= limits.cpu && {
      why: `All its cores are promised: ${short(used.cpu)} of ${short(limits.cpu)}.`,
      next: `${makeRoom} More may be promised with --cpu-ratio, or its label gantry.cpu-ratio.`,
    },
    used.memory >= limits.memory && {
      why: `All its memory is promised: ${mebibytesText(used.memory)} of ${mebibytesText(limits.memory)}.`,
      next: makeRoom,
    },
    // Containers need not be promised any.
    limits.disk > 0 &&
      used.disk >= limits.disk && {
        why: `All its disk is promised: ${short(used.disk)} of ${short(limits.disk)} GiB.`,
        next: `${makeRoom} Containers without a limit of disk space still come.`,
      },
  ]
  return found.filter((each) => each !== false)
}

/** What to do about a refusal: whoever owns the container, and whoever runs the cloud. Sentences. */
interface Remedy {
  readonly owner: string
  readonly operator: string
}

const waits = 'Ask an administrator of the cloud, or try again later.'
const emptier = 'Stop and delete containers that nobody needs, move some away, or add a host.'

/** By the `why` of each filter. */
const remedies: Readonly<Record<string, Remedy>> = {
  'not connected': {
    owner: waits,
    operator: 'Start its agent, and see in the log of the agent why it does not reach a server.',
  },
  'the one that it is to leave': { owner: waits, operator: 'It needs another host that would take it.' },
  'disabled by an administrator': { owner: waits, operator: 'Uncordon it when it may be used again.' },
  'being deleted, as nobody needed it': { owner: waits, operator: 'Nothing: another one is made when it is needed.' },
  "for another project's containers": {
    owner: waits,
    operator: 'It was made for one project; add a host that is for all, or let one be made for this project.',
  },
  'not the host asked for': {
    owner: 'Create it without asking for a host.',
    operator: 'Create it without asking for a host, or look why the one asked for does not take it.',
  },
  'in another availability zone': {
    owner: 'Create it without a zone, or in another one.',
    operator: 'Add a host in the zone that is asked for, or ask for another one.',
  },
  'without the label asked for': {
    owner: 'Create it with other constraints or hints.',
    operator: 'Start an agent with the label that is asked for (gantry agent --label), or change the constraint.',
  },
  'without the containers it is to be with': {
    owner: 'Create it without this affinity, or look where those containers are.',
    operator: 'Make room on the hosts of those containers, or create it without this affinity.',
  },
  'with a container it must not be with': {
    owner: 'Create it without this anti-affinity, or with fewer containers apart.',
    operator: 'Add a host, or create it without this anti-affinity.',
  },
  'without the runtime asked for': {
    owner: 'Create it without asking for a runtime.',
    operator: 'Install the runtime in the engine of a host.',
  },
  'of another architecture than the image': {
    owner: 'Use an image that was made for the hosts of this cloud.',
    operator:
      'Add a host of that architecture, or say what a host emulates (gantry agent --label gantry.architectures=…).',
  },
  'without pinned cores': {
    owner: 'Create it with shared cores.',
    operator: 'No host pins cores: it is to be created with shared ones.',
  },
  'without the volume, which is on another host': {
    owner: 'Free what the host of the volume has no room for, or copy the volume by a backup.',
    operator: 'Make room on the host where the volume is, or move its data by a backup.',
  },
  'unable to build networks (gantry host show tells why)': {
    owner: waits,
    operator: 'The page of the host says what is missing there.',
  },
  'unable to hold volumes (gantry host show tells why)': {
    owner: waits,
    operator: 'The page of the host says what is missing there.',
  },
  'with an engine that cannot limit disk space': {
    owner: 'Create it without a limit of disk space.',
    operator: 'Give the engine a file system with project quotas (XFS with pquota), or create it without that limit.',
  },
  'full of containers': { owner: waits, operator: `${emptier} --containers-per-host is the limit.` },
  'out of cores': { owner: 'Ask for fewer cores, or stop what you do not need.', operator: emptier },
  'out of memory': { owner: 'Ask for less memory, or delete what you do not need.', operator: emptier },
  'out of disk space': { owner: 'Ask for less disk, or delete what you do not need.', operator: emptier },
}

/** What to do where hosts are refused because of `why`. */
export function remedyFor(why: string, who: keyof Remedy): string {
  return remedies[why]?.[who] ?? waits
}

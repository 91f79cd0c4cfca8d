import type { CreateContainer } from '@gantry/facade-native/views'
import type { Draft, MountDraft, PairDraft, PublishDraft, Wanted } from './draft.ts'
import { wordsOfLine } from './shell-words.ts'

/** What the form asks for. Of a draft that has problems it is what would be asked without them. Pure. */
export function wantedOf(draft: Draft): Wanted {
  const [ports, words] = [portsOf(draft.ports), wordsOfLine(draft.command) ?? []]
  const container: CreateContainer = {
    image: draft.image.trim(),
    run: true,
    ...(draft.name !== '' && { name: draft.name }),
    ...(draft.registry !== '' && { registry: draft.registry }),
    ...(draft.zone !== '' && { availabilityZone: draft.zone }),
    cpu: Number(draft.cpu),
    memory: Number(draft.memory),
    ...(draft.disk !== '' && { disk: Number(draft.disk) }),
    ...(draft.nets.length > 0 && {
      nets: draft.nets.map(({ network, address }) => ({ network, ...(address !== '' && { addresses: [address] }) })),
    }),
    ...(draft.groups.length > 0 && { securityGroups: [...draft.groups] }),
    ...(ports.length > 0 && { exposedPorts: ports }),
    ...(draft.publish.length > 0 && { publish: draft.publish.map(publishOf) }),
    ...(draft.mounts.length > 0 && { mounts: draft.mounts.map(mountOf) }),
    ...(draft.environment.length > 0 && { environment: mapOf(draft.environment) }),
    ...(draft.labels.length > 0 && { labels: mapOf(draft.labels) }),
    ...(words.length > 0 && { command: words }),
    ...(draft.restart !== 'no' && {
      restartPolicy: {
        name: draft.restart,
        maxRetries: draft.restart === 'on-failure' ? Number(draft.retries) : 0,
      },
    }),
    ...(draft.autoRemove && { autoRemove: true }),
    ...(draft.interactive && { interactive: true, tty: true }),
  }
  return { count: Number(draft.count), container }
}

/** Each with its protocol, which is tcp if none is told. */
function portsOf(text: string): string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  return words.map((word) => (word.includes('/') ? word : `${word}/tcp`))
}

function publishOf({ publicPort, containerPort, protocol }: PublishDraft) {
  return {
    containerPort: Number(containerPort),
    protocol,
    ...(publicPort !== '' && { publicPort: Number(publicPort) }),
  }
}

function mountOf({ volume, size, destination, readOnly }: MountDraft) {
  const what = volume === '' ? { size: Number(size) } : { source: volume }
  return { ...what, destination, ...(readOnly && { readOnly: true }) }
}

function mapOf(pairs: readonly PairDraft[]): Record<string, string> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]))
}

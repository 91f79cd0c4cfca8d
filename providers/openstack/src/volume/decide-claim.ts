import type { CloudAttachment, CloudHolder, CloudVolume } from '@gantry/control'
import type { ContainerId } from '@gantry/model'

/** What is known when a container wants a volume. */
export interface ClaimScene {
  readonly volume: Pick<CloudVolume, 'shared' | 'multiattach' | 'blank'>
  /** Those that are not to be given back. */
  readonly attachments: readonly CloudAttachment[]
  /** Of the volume, other containers'. */
  readonly others: readonly CloudHolder[]
  readonly mine: CloudHolder | undefined
  readonly readOnly: boolean
  /** Its service lets several hosts write at once. */
  readonly manyWriters: boolean
}

export type ClaimDecision =
  /** It shares what others have, on their host. */
  | { readonly kind: 'join'; readonly attachment: CloudAttachment }
  | { readonly kind: 'new'; readonly writable: boolean }
  | { readonly kind: 'refuse'; readonly holder: ContainerId | null; readonly why: string }

/**
 * Who may have a volume beside whom. A file system that is written on one host must be mounted on no other, not even to be read:
 * so whoever writes has everybody else on its own host, and several hosts have it only while all of them read. Pure.
 */
export function decideClaim(scene: ClaimScene): ClaimDecision {
  const { volume, attachments, others, mine, readOnly, manyWriters } = scene
  const own = mine && attachments.find(({ id }) => id === mine.attachmentId)
  if (own) {
    // Twice in one container: the second must not write where the first was to read on many hosts.
    if (own.writable || readOnly) return { kind: 'join', attachment: own }
    return refuse(others, 'this container has it to be read only as well')
  }
  if (manyWriters) return { kind: 'new', writable: true }
  // What is blank is written to by whoever has it first.
  const spreads = volume.multiattach && !volume.shared && readOnly && !volume.blank
  const [first] = attachments
  if (!first) return { kind: 'new', writable: !spreads }
  if (volume.shared) return { kind: 'join', attachment: first }
  if (!volume.multiattach) return refuse(others, 'it can be had once')
  const written = attachments.find(({ writable }) => writable)
  if (written) return { kind: 'join', attachment: written }
  if (spreads) return { kind: 'new', writable: false }
  return refuse(others, 'it is read there, and what is read elsewhere cannot be written')
}

function refuse(others: readonly CloudHolder[], why: string): ClaimDecision {
  return { kind: 'refuse', holder: others[0]?.containerId ?? null, why }
}

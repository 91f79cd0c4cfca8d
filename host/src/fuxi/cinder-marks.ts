import type { Attachment, Volume } from '@gantry/openstack'

/** Keys of a volume's metadata. */
export const marks = {
  /** Whose it is: `fuxi`, unless told. */
  from: 'volume_from',
  fsType: 'fstype',
  /** Made by the plugin with nothing in it, and not mounted yet. */
  blank: 'fuxi_blank',
  /** Hosts may only read it; several may, where Cinder lets them. */
  readOnly: 'fuxi_read_only',
  /** Of one attachment: on which host it is. Cinder tells that to administrators only, and of finished attachments only. */
  claim: (attachmentId: string) => `${claim}${attachmentId}`,
} as const
const claim = 'fuxi_at_'

/** What a host writes: its name, and what tells it from another of the same name. */
export function claimText(host: string, machine: string): string {
  return `${host} ${machine}`
}

/** The claim of a plugin for whose host an attachment was made; null: somebody else's, or not written down yet. */
export function claimantOf({ metadata = {} }: Volume, attachmentId: string): string | null {
  return metadata[marks.claim(attachmentId)] ?? null
}

/** Attachments with this claim. They may be gone. */
export function claimsOf({ metadata = {} }: Volume, text: string): string[] {
  return Object.entries(metadata).flatMap(([key, value]) =>
    key.startsWith(claim) && value === text ? [key.slice(claim.length)] : [],
  )
}

/** Claims of attachments that are not there any more. */
export function staleClaims({ metadata = {} }: Volume, attachments: readonly Attachment[]): string[] {
  const there = new Set(attachments.map(({ id }) => marks.claim(id)))
  return Object.keys(metadata).filter((key) => key.startsWith(claim) && !there.has(key))
}

/** Who has it, in words, by an attachment of it. */
export function placeOf(volume: Volume, { id, instance }: Attachment): string {
  const claimant = claimantOf(volume, id)
  if (claimant !== null) return `host ${claimant.split(' ')[0]}`
  if (instance) return `server ${instance}`
  const shown = volume.attachments?.find((each) => each['attachment_id'] === id)
  const name = shown?.['host_name']
  return typeof name === 'string' ? `host ${name}` : `somebody whom Cinder does not name (attachment ${id})`
}

/** What a volume's own listing says of finished attachments, as attachments. */
export function shownAttachments({ id: volume_id, attachments = [] }: Volume): Attachment[] {
  return attachments.map(({ attachment_id, server_id }) => ({
    id: String(attachment_id),
    volume_id,
    status: 'attached',
    instance: typeof server_id === 'string' ? server_id : null,
  }))
}

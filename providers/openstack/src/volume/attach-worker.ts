import type { VolumeId } from '@gantry/model'
import { type DueWorker, dueWorker } from '../due-worker.ts'
import { noteProblem, settleVolume, type StepParts } from './attach-steps.ts'
import { sentence } from './parts.ts'

/** Volumes whose attachments, or which themselves, are to be changed. */
export type AttachWorker = DueWorker<VolumeId>

/** How long it fails before containers are told why they wait. Milliseconds. */
const quietMs = 20_000

/** Carries out at the services what the rows of volumes and attachments say. */
export function attachWorker(parts: StepParts): AttachWorker {
  const { store, log, clock } = parts
  return dueWorker<VolumeId>({
    width: 6,
    log,
    clock,
    service: 'the services of volumes',
    ...(parts.servers && { servers: parts.servers }),
    // Transactions exclude each other, so this one begins after the one that wrote what is due.
    due: () =>
      store.transaction(async (tables) => {
        const attachments = await tables.cloudAttachments.due()
        const leaving = await tables.cloudVolumes.leaving()
        return new Set([...attachments.map(({ volumeId }) => volumeId), ...leaving.map(({ id }) => id)])
      }),
    work: (id) => settleVolume(parts, id),
    async failed(id, { since }, reason) {
      if (clock.now() - since >= quietMs) await noteProblem(parts, id, sentence(reason))
    },
  })
}

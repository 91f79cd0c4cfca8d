import type { CloudAttachment, CloudHolder } from '@gantry/control'
import type { ContainerId, HostId, VolumeId } from '@gantry/model'
import { describe, expect, test } from 'vitest'
import { type ClaimScene, decideClaim } from './decide-claim.ts'

const volumeId = 'v' as VolumeId

function attachment(id: string, more: Partial<CloudAttachment> = {}): CloudAttachment {
  return {
    id,
    volumeId,
    owner: id,
    serviceId: id,
    hostId: `host of ${id}` as HostId,
    writable: true,
    sealedConnection: null,
    mounted: false,
    completed: false,
    byService: false,
    leaving: false,
    problem: null,
    createdAt: 1,
    ...more,
  }
}

const holder = (containerId: string, attachmentId: string): CloudHolder => ({
  containerId: containerId as ContainerId,
  volumeId,
  attachmentId,
  readOnly: false,
  createdAt: 1,
})

function decide(more: Partial<ClaimScene>) {
  return decideClaim({
    volume: { shared: false, multiattach: false, blank: false },
    attachments: [],
    others: [],
    mine: undefined,
    readOnly: false,
    manyWriters: false,
    ...more,
  })
}

const many = { shared: false, multiattach: true, blank: false }

describe('who may have a volume beside whom', () => {
  test('the first has it, written unless it is read only of one that may spread', () => {
    expect(decide({})).toEqual({ kind: 'new', writable: true })
    expect(decide({ readOnly: true })).toEqual({ kind: 'new', writable: true })
    expect(decide({ volume: many })).toEqual({ kind: 'new', writable: true })
    expect(decide({ volume: many, readOnly: true })).toEqual({ kind: 'new', writable: false })
  })

  test('what is blank is not spread before somebody gave it a file system', () => {
    expect(decide({ volume: { ...many, blank: true }, readOnly: true })).toEqual({ kind: 'new', writable: true })
  })

  test('one for one container is refused to all others, with the name of who has it', () => {
    const scene = { attachments: [attachment('a')], others: [holder('c1', 'a')] }
    expect(decide(scene)).toMatchObject({ kind: 'refuse', holder: 'c1' })
    expect(decide({ ...scene, readOnly: true })).toMatchObject({ kind: 'refuse', holder: 'c1' })
  })

  test('a shared one is joined where it is, also if several hosts could reach it', () => {
    const attachments = [attachment('a')]
    const others = [holder('c1', 'a')]
    for (const multiattach of [false, true]) {
      const volume = { shared: true, multiattach, blank: false }
      expect(decide({ volume, attachments, others })).toMatchObject({ kind: 'join', attachment: { id: 'a' } })
      expect(decide({ volume, attachments, others, readOnly: true })).toMatchObject({ kind: 'join' })
    }
  })

  test('who writes has readers on its own host; readers have other readers anywhere and no writer', () => {
    const written = { volume: many, attachments: [attachment('a')], others: [holder('c1', 'a')] }
    expect(decide({ ...written, readOnly: true })).toMatchObject({ kind: 'join', attachment: { id: 'a' } })
    expect(decide(written)).toMatchObject({ kind: 'join', attachment: { id: 'a' } })
    const read = { volume: many, attachments: [attachment('a', { writable: false })], others: [holder('c1', 'a')] }
    expect(decide({ ...read, readOnly: true })).toEqual({ kind: 'new', writable: false })
    expect(decide(read)).toMatchObject({ kind: 'refuse', holder: 'c1' })
  })

  test('a second mount of one container is the first one’s', () => {
    const mine = holder('me', 'a')
    expect(decide({ mine, attachments: [attachment('a')] })).toMatchObject({ kind: 'join' })
    const reads = { volume: many, mine, attachments: [attachment('a', { writable: false })] }
    expect(decide({ ...reads, readOnly: true })).toMatchObject({ kind: 'join' })
    expect(decide(reads)).toMatchObject({ kind: 'refuse' })
  })

  test('a share is written by everybody everywhere', () => {
    const attachments = [attachment('a')]
    expect(decide({ attachments, others: [holder('c1', 'a')], manyWriters: true })).toEqual({
      kind: 'new',
      writable: true,
    })
  })

  test('whatever comes in whatever order, what is written is attached once', () => {
    for (let seed = 1; seed <= 300; seed++) {
      let state = seed
      const random = (below: number) => {
        state = (state * 48271) % 2147483647
        return state % below
      }
      const volume = { shared: false, multiattach: true, blank: random(2) === 0 }
      const attachments: CloudAttachment[] = []
      for (let step = 0; step < 12; step++) {
        if (random(4) === 0) attachments.splice(random(3), 1)
        const decision = decide({ volume, attachments, readOnly: random(2) === 0 })
        if (decision.kind === 'new') attachments.push(attachment(`${step}`, { writable: decision.writable }))
        const isSafe = attachments.length <= 1 || attachments.every(({ writable }) => !writable)
        expect(isSafe, `seed ${seed}`).toBe(true)
      }
    }
  })
})

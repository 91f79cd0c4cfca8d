import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { Digest } from '@gantry/model'
import { expect, test } from 'vitest'
import { type AStore, aStore, contentOf, digestOf, never, noLimit, uploadId } from './testing/a-store.ts'

interface Told {
  readonly appended?: string
  readonly finishing?: string
  readonly finished?: string
  readonly removing?: Digest
  readonly removed?: Digest
  readonly digest?: Digest
  readonly size?: number
}

const rounds = 6

/** What a child said until it was killed, at some moment after its first words. */
async function killedAfter(folder: string, round: number, delayMs: number): Promise<Told[]> {
  const script = join(import.meta.dirname, 'testing', 'busy-child.ts')
  const child = spawn(process.execPath, [script, folder, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const told: Told[] = []
  for await (const line of createInterface(child.stdout)) {
    if (told.length === 0) setTimeout(() => child.kill('SIGKILL'), delayMs)
    // What a kill cuts off was not said.
    if (line.endsWith('}')) told.push(JSON.parse(line) as Told)
  }
  await ended
  return told
}

async function check({ blobs }: AStore, told: readonly Told[]): Promise<void> {
  const removing = new Set(told.map(({ removing }) => removing))
  for (const { removed } of told) if (removed) expect(await blobs.stat(removed)).toBeNull()
  for (const { finished, digest, size } of told) {
    if (finished === undefined || !digest || removing.has(digest)) continue
    expect(await blobs.stat(digest)).toEqual({ size })
    expect(await blobs.finish(uploadId(finished), digest)).toEqual({ size })
  }
  const finished = new Set(told.map(({ finished }) => finished))
  for (const { finishing, digest, size } of told) {
    if (finishing === undefined || !digest || finished.has(finishing)) continue
    expect(await blobs.finish(uploadId(finishing), digest)).toEqual({ size })
    expect(digestOf(await contentOf(blobs, digest))).toBe(digest)
  }
  const begun = new Set(told.map(({ finishing }) => finishing))
  const received = new Map<string, number>()
  for (const { appended, size } of told) if (appended !== undefined && size) received.set(appended, size)
  for (const [name, size] of received) {
    if (begun.has(name)) continue
    const id = uploadId(name)
    const there = await blobs.received(id)
    expect(there).toBeGreaterThanOrEqual(size)
    expect(await blobs.append(id, Readable.from([Buffer.from('on')]), { ...noLimit, offset: there }, never)).toBe(
      there + 2,
    )
  }
}

test('a kill -9 at any moment loses nothing that was told, and leaves no half blob', { timeout: 120_000 }, async () => {
  await using store = await aStore()
  for (let round = 0; round < rounds; round += 1) {
    const told = await killedAfter(store.folder, round, Math.random() * 400)
    expect(told.length).toBeGreaterThan(0)
    await store.restart()
    await check(store, told)
    for await (const { digest } of store.blobs.blobs()) {
      expect(await store.blobs.verify(digest, never)).toBe('sound')
      await store.blobs.remove(digest)
    }
    for await (const { id } of store.blobs.uploads()) await store.blobs.abort(id)
    expect(await Array.fromAsync(store.blobs.uploads())).toEqual([])
  }
  expect(store.told).toEqual([])
})

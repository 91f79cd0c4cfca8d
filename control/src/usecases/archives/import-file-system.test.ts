import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { importFileSystem } from './import-file-system.ts'
import { aCatalogue, ann, digestOf } from './testing/a-catalogue.ts'
import { inPieces, tarOf } from './testing/tars.ts'

const never = new AbortController().signal
const tar = await tarOf(['bin/sh', 'x'.repeat(3000)])

async function imported(content: Buffer, changes: readonly string[] = []) {
  const world = aCatalogue()
  const options = { message: 'by hand', changes }
  return { ...world, manifest: await importFileSystem(world.deps, ann, inPieces(content), options, never) }
}

test.each([
  ['as it is', tar],
  ['compressed', gzipSync(tar)],
])('a file system becomes an image of one layer: %s', async (_how, content) => {
  const { manifest, sizes } = await imported(content, ['CMD ["sh"]', 'ENV A=1'])
  expect(JSON.parse(manifest.config ?? '')).toMatchObject({
    os: 'linux',
    created: '2026-01-01T00:00:00.000Z',
    config: { Cmd: ['sh'], Env: ['A=1'] },
    history: [{ comment: 'by hand' }],
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
  })
  expect(manifest.parts.at(-1)).toMatchObject({ digest: digestOf(content), size: content.length })
  expect([...sizes]).toEqual([[digestOf(tar), 3000]])
})

test('what is no tar, and what is no change, is refused', async () => {
  for (const bad of [Buffer.from('no tar'.repeat(200)), gzipSync(tar).subarray(0, 30), Buffer.alloc(700, 1)]) {
    await expect(imported(bad)).rejects.toMatchObject({ code: 'request.invalid' })
  }
  await expect(imported(tar, ['RUN x'])).rejects.toThrow('RUN is not a valid change command')
  await expect(imported(tar, ['NOTHING'])).rejects.toMatchObject({ code: 'request.invalid' })
})

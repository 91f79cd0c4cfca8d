import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compareSessions, type Difference, type Pair, startPair, untold } from '../fixtures/docker-script.ts'

const session = new URL('../fixtures/dockerode-session.mjs', import.meta.url).pathname

const differences: readonly Difference[] = []

describe('dockerode, on a plain engine and on Gantry', () => {
  let pair: Pair
  beforeAll(async () => {
    pair = await startPair()
    for (const { folder } of [pair.engine, pair.gantry]) {
      const sent = join(folder, 'sent')
      await mkdir(sent)
      await writeFile(join(sent, 'file'), 'content\n')
      await writeFile(join(sent, 'Dockerfile'), 'FROM busybox\nARG who=nobody\nCOPY file /\nCMD ["cat", "/file"]\n')
    }
  })
  afterAll(() => pair[Symbol.asyncDispose]())

  it('does the same with both', async () => {
    const used = await compareSessions(pair, `${process.execPath} ${session}`, differences)
    expect(differences.filter((one) => !used.has(one)).map(({ line }) => line)).toEqual([])
    expect(await untold(differences)).toEqual([])
  })
})

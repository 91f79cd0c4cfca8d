import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compareSessions, type Difference, type Pair, startPair, untold } from '../fixtures/docker-script.ts'

const session = new URL('../fixtures/docker_py_session.py', import.meta.url).pathname

const differences: readonly Difference[] = []

describe('docker-py, on a plain engine and on Gantry', () => {
  let pair: Pair
  beforeAll(async () => {
    pair = await startPair()
  })
  afterAll(() => pair[Symbol.asyncDispose]())

  it('does the same with both', async () => {
    const used = await compareSessions(pair, `/usr/bin/python3 ${session}`, differences)
    expect(differences.filter((one) => !used.has(one)).map(({ line }) => line)).toEqual([])
    expect(await untold(differences)).toEqual([])
  })
})

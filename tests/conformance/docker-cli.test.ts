import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compare, type Difference, type Pair, startPair, untold } from '../fixtures/docker-script.ts'
import { dockerCliDifferences } from './docker-cli-differences.ts'
import { dockerCliLines } from './docker-cli-lines.ts'
import { dockerCliMoreLines } from './docker-cli-more-lines.ts'

describe('the docker command line, on a plain engine and on Gantry', () => {
  let pair: Pair
  const used = new Set<Difference>()
  beforeAll(async () => {
    pair = await startPair()
  })
  afterAll(() => pair[Symbol.asyncDispose]())

  for (const [name, lines] of Object.entries({ ...dockerCliLines, ...dockerCliMoreLines })) {
    it(name, { timeout: 300_000 }, async () => {
      for (const one of await compare(pair, lines, dockerCliDifferences)) used.add(one)
    })
  }

  it('differs only where the document says so, and no less', async () => {
    expect(await untold(dockerCliDifferences)).toEqual([])
    expect(dockerCliDifferences.filter((one) => !used.has(one)).map(({ line }) => line)).toEqual([])
  })
})

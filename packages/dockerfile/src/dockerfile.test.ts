import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commandForm, namedValues, wordList } from './arguments.ts'
import { BuildError } from './build-error.ts'
import { parseDockerfile, parseInstruction } from './dockerfile.ts'
import { buildPlan, imagesNamed } from './stages.ts'

describe('parseDockerfile', () => {
  test('joins lines as they stand, without comments', () => {
    const { instructions } = parseDockerfile('FROM x\n  RUN a && \\\n   # no\n\n  b\n')
    expect(instructions[1]).toMatchObject({ name: 'RUN', original: 'RUN a &&   b', rest: 'a &&   b', line: 2 })
  })

  test('takes flags off', () => {
    const { instructions } = parseDockerfile('FROM x\nCOPY --from=a --chown=1:2 ["a b", "/c"]')
    expect(instructions[1]).toMatchObject({ flags: ['from=a', 'chown=1:2'], rest: '["a b", "/c"]' })
  })

  test('knows another escape', () => {
    const { escape, instructions } = parseDockerfile('# escape=`\nFROM x\nRUN a `\n b \\\nCMD c')
    expect(escape).toBe('`')
    expect(instructions.map(({ name }) => name)).toEqual(['FROM', 'RUN', 'CMD'])
  })

  test('refuses here-documents by name', () => {
    expect(() => parseDockerfile('FROM x\nRUN <<EOF\necho\nEOF\n')).toThrow(/BuildKit/)
    expect(parseDockerfile('FROM x\nRUN cat <<< EOF\n').instructions).toHaveLength(2)
  })

  test('fails on any text only with a sentence for its author', () => {
    const line = fc.constantFrom(
      'FROM a',
      'RUN x',
      'ENV a=b "',
      'COPY --x',
      '# escape=`',
      '\\',
      'ARG',
      'ONBUILD',
      '[',
      '$',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 12 }), (lines) => {
        try {
          imagesNamed(lines.join('\n'), {}, '')
        } catch (error) {
          expect(error).toBeInstanceOf(BuildError)
        }
      }),
    )
  })
})

test('arguments', () => {
  expect(commandForm('["a", "b"]')).toEqual({ kind: 'exec', argv: ['a', 'b'] })
  expect(commandForm('[ -f x ] && y')).toEqual({ kind: 'shell', line: '[ -f x ] && y' })
  expect(wordList('a  b')).toEqual(['a', 'b'])
  expect(namedValues(parseInstruction('ENV a="b c" d=e\\ f'), '\\')).toEqual([
    { name: 'a', value: '"b c"' },
    { name: 'd', value: 'e\\ f' },
  ])
  expect(namedValues(parseInstruction('ENV a b c'), '\\')).toEqual([{ name: 'a', value: 'b c' }])
})

describe('stages', () => {
  const text = `ARG BASE=busybox
ARG TAG
FROM \${BASE}:\${TAG:-1} AS one
COPY --from=tools:2 /a /b
FROM one AS two
COPY --from=0 /a /b
COPY --from=ONE /a /b
FROM scratch
COPY --from=two /a /b
FROM last`

  test('name what they need from outside', () => {
    expect(imagesNamed(text, { TAG: '9' }, '')).toEqual(['busybox:9', 'tools:2', 'last'])
    expect(imagesNamed(text, {}, 'two')).toEqual(['busybox:1', 'tools:2'])
    expect(imagesNamed(text, {}, '0')).toEqual(['busybox:1', 'tools:2'])
    expect(() => imagesNamed(text, {}, 'none')).toThrow('failed to reach build target none in Dockerfile')
  })

  test('end with the labels that are asked for', () => {
    const { stages } = buildPlan('FROM x\n', { target: '', labels: { b: '2', a: "it's" } })
    expect(stages[0]?.steps[0]?.original).toBe(`LABEL 'a'='it'"'"'s' 'b'='2'`)
  })
})

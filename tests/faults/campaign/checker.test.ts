import { describe, expect, test } from 'vitest'
import { ofVolumes } from './volume-checker.ts'
import { placesAfter, violationsOf } from './checker.ts'
import { printed } from './docker-exec.ts'
import type { FinalState, Held, Listed, Operation, Verb } from './history.ts'

const asked = (verb: Verb, more: Partial<Operation> = {}): Operation => ({
  verb,
  api: 'zun',
  project: 'p',
  name: 'one',
  outcome: 'done',
  status: 202,
  from: 0,
  to: 1,
  ...more,
})
const listed = (more: Partial<Listed> = {}): Listed => ({
  id: 'id-one',
  name: 'one',
  status: 'Running',
  reason: null,
  task: null,
  host: 'h1',
  memory: 16,
  ...more,
})
const held = (more: Partial<Held> = {}): Held => ({ host: 'h1', container: 'id-one', state: 'running', ...more })

function found(history: Operation[], containers: Listed[], engines: Held[], more: Partial<FinalState> = {}): string[] {
  const memory = containers.reduce((sum, one) => sum + one.memory, 0)
  const used = { containers: containers.length, memory }
  const final = {
    projects: [{ project: 'p', containers, limit: 2, used }],
    held: engines,
    published: [],
    crashes: [],
    ...more,
  }
  return violationsOf(history, final).map(({ kind }) => kind)
}

test('finds nothing where everything is as promised', () => {
  expect(found([asked('create')], [listed()], [held()])).toEqual([])
  expect(found([asked('create'), asked('delete')], [], [])).toEqual([])
  expect(found([asked('create', { outcome: 'unknown' })], [], [])).toEqual([])
  expect(found([asked('create', { outcome: 'unknown' })], [listed()], [held()])).toEqual([])
  const failed = listed({ status: 'Error', reason: 'No host fits: 3 full.', host: null })
  expect(found([asked('create')], [failed], [])).toEqual([])
})

test.each<[string, Operation[], Listed[], Held[], Partial<FinalState>, string[]]>([
  ['an acknowledged create is gone', [asked('create')], [], [], {}, ['lost']],
  ['it is listed and in no engine', [asked('create')], [listed()], [], {}, ['lost']],
  [
    '404 after an acknowledged create',
    [asked('create'), asked('exec', { outcome: 'refused', status: 404 }), asked('delete')],
    [],
    [],
    {},
    ['lost'],
  ],
  ['it runs on two hosts', [asked('create')], [listed()], [held(), held({ host: 'h2' })], {}, ['twice']],
  ['it is in one engine twice', [asked('create')], [listed()], [held(), held({ state: 'exited' })], {}, ['twice']],
  [
    'a create was carried out twice',
    [asked('create')],
    [listed(), listed({ id: 'id-two' })],
    [held(), held({ container: 'id-two' })],
    {},
    ['twice'],
  ],
  ['it is still being made', [asked('create')], [listed({ task: 'container_creating' })], [held()], {}, ['stuck']],
  [
    'it is Unknown',
    [asked('create')],
    [listed({ status: 'Unknown' })],
    [held({ state: 'exited' })],
    {},
    ['wrong state', 'stuck'],
  ],
  ['an engine has what nobody lists', [], [], [held()], {}, ['orphan']],
  ['an engine has what is elsewhere', [asked('create')], [listed()], [held({ host: 'h2' })], {}, ['orphan']],
  ['nobody asked for it', [], [listed()], [held()], {}, ['orphan']],
  [
    'a refused create was carried out',
    [asked('create', { outcome: 'refused', status: 403 })],
    [listed()],
    [held()],
    {},
    ['orphan'],
  ],
  ['it was deleted and is there', [asked('create'), asked('delete')], [listed()], [held()], {}, ['undeleted']],
  ['it was stopped and runs', [asked('create'), asked('stop')], [listed()], [held()], {}, ['wrong state']],
  [
    'it was started and is stopped',
    [asked('create', { run: false }), asked('start')],
    [listed({ status: 'Stopped' })],
    [held({ state: 'exited' })],
    {},
    ['wrong state'],
  ],
  [
    'the engine runs what is stopped',
    [asked('create'), asked('stop')],
    [listed({ status: 'Stopped' })],
    [held()],
    {},
    ['wrong state'],
  ],
  ['an error has no reason', [asked('create')], [listed({ status: 'Error' })], [], {}, ['wrong state']],
  [
    'an exec printed something else',
    [asked('create'), asked('exec', { expected: 'a', printed: 'b', exitCode: 0 })],
    [listed()],
    [held()],
    {},
    ['wrong exec'],
  ],
  [
    'an exec was cut short',
    [asked('create'), asked('exec', { expected: 'a', printed: '', exitCode: 0 })],
    [listed()],
    [held()],
    {},
    ['wrong exec'],
  ],
  ['an answer was 500', [asked('create', { outcome: 'unknown', status: 500 })], [], [], {}, ['wrong answer']],
  ['a server ended by itself', [], [], [], { crashes: ['server-1 ended with 1.'] }, ['crash']],
])('finds that %s', (_, history, containers, engines, more, expected) => {
  expect(found(history, containers, engines, more)).toEqual(expected)
})

test('finds counters that differ from what is there, and a limit that was passed', () => {
  const at = (count: number, memory: number) => ({
    projects: [{ project: 'p', containers: [listed()], limit: 2, used: { containers: count, memory } }],
  })
  expect(found([asked('create')], [], [held()], at(2, 16))).toEqual(['quota'])
  expect(found([asked('create')], [], [held()], at(1, 32))).toEqual(['quota'])
  const names = ['one', 'two', 'three']
  const all = names.map((name) => listed({ name, id: name }))
  const creates = names.map((name) => asked('create', { name }))
  expect(
    found(
      creates,
      all,
      names.map((container) => held({ container })),
    ),
  ).toEqual(['quota'])
})

test('concludes nothing from an answer that never came', () => {
  const lost = (verb: Verb) => asked(verb, { outcome: 'unknown', status: null })
  expect([...placesAfter([asked('create'), lost('stop')])]).toEqual(['running', 'stopped'])
  expect([...placesAfter([asked('create'), lost('stop'), asked('start')])]).toEqual(['running', 'stopped'])
  expect([...placesAfter([lost('create'), asked('delete')])]).toEqual(['absent', 'running'])
  expect([...placesAfter([asked('create'), asked('stop', { outcome: 'refused', status: 409 })])]).toEqual(['running'])
})

test('finds a public port at which nobody or somebody else answers, and asks nothing of what does not run', () => {
  const history = [asked('create', { port: 8001 }), asked('start')]
  const published = (answer: string | null) => ({ published: [{ project: 'p', name: 'one', port: 8001, answer }] })
  expect(found(history, [listed()], [held()], published('one'))).toEqual([])
  expect(found(history, [listed()], [held()], published(null))).toEqual(['wrong port'])
  expect(found(history, [listed()], [held()], published('two'))).toEqual(['wrong port'])
  expect(found(history, [listed()], [held()])).toEqual(['wrong port'])
  const stopped = [asked('create', { port: 8001, run: false })]
  expect(found(stopped, [listed({ status: 'Created' })], [held({ state: 'created' })])).toEqual([])
})

test('a port that another container has is refused by Docker with 500', () => {
  const history = [asked('create', { run: false }), asked('start', { api: 'docker', outcome: 'refused', status: 500 })]
  expect(found(history, [listed({ status: 'Created' })], [held({ state: 'created' })])).toEqual([])
})

test('a command that did not begin because its container stopped is no wrong exec', () => {
  const exec = (printed: string, exitCode: number) => asked('exec', { expected: 'a\n', printed, exitCode })
  const kinds = (one: Operation) => found([asked('create'), one], [listed()], [held()])
  expect(kinds(exec('container is not running\r\n', 126))).toEqual([])
  expect(kinds(exec('container is not running\r\n', 0))).toEqual(['wrong exec'])
  expect(kinds(exec('sh: not found\n', 126))).toEqual(['wrong exec'])
})

describe('of volumes', () => {
  const made = asked('volume', { name: 'data', volume: 'data' })
  const write = (more: Partial<Operation> = {}) =>
    asked('write', {
      volume: 'data',
      file: 'f',
      line: 'word',
      expected: 'written\n',
      printed: 'written\n',
      exitCode: 0,
      ...more,
    })
  const lost = (history: Operation[], files: Record<string, string> | null = {}) =>
    ofVolumes(history, [{ project: 'p', volume: 'data', files: files && new Map(Object.entries(files)) }]).map(
      ({ kind }) => kind,
    )

  test('finds what was written, acknowledged, and is not there or is something else', () => {
    expect(lost([made, write()], { f: 'word' })).toEqual([])
    expect(lost([made, write()])).toEqual(['lost'])
    expect(lost([made, write()], { f: 'wor' })).toEqual(['lost'])
  })
  test('concludes nothing from a write that failed or was not answered', () => {
    expect(lost([made, write({ exitCode: 1, printed: '' })])).toEqual([])
    expect(lost([made, write({ outcome: 'unknown', status: null })])).toEqual([])
    expect(found([asked('create'), write({ exitCode: 1, printed: '' })], [listed()], [held()])).toEqual([])
    expect(found([asked('create'), write({ printed: '' })], [listed()], [held()])).toEqual(['wrong exec'])
  })
  test('finds a volume that is gone, cannot be read, or was not found for a container', () => {
    expect(ofVolumes([made], []).map(({ kind }) => kind)).toEqual(['lost'])
    expect(lost([made], null)).toEqual(['lost'])
    const refused = asked('create', { volume: 'data', outcome: 'refused', status: 404 })
    expect(lost([made, refused])).toEqual(['lost'])
    expect(lost([refused, made])).toEqual([])
  })
})

test.each([
  ['whole', [frame(1, 'a'), frame(2, 'b')], 'ab', null],
  ['of nothing', [], '', null],
  ['which says that it broke off', [frame(1, 'a'), frame(3, 'gone')], 'a', 'gone'],
  ['cut within a frame', [frame(1, 'a'), frame(1, 'b').subarray(0, 8)], 'a', 'the stream ended within a frame'],
  ['cut within the head of a frame', [frame(1, 'a').subarray(0, 5)], '', 'the stream ended within a frame'],
])('a Docker stream %s is read', (_what, frames, output, problem) => {
  expect(printed(Buffer.concat(frames))).toEqual({ output, problem })
})

function frame(kind: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([kind, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)])
}

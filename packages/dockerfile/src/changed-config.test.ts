import { expect, test } from 'vitest'
import { changedConfig } from './changed-config.ts'

test('lines change a config one after another', () => {
  const config = { Env: ['A=1'], Cmd: ['old'] }
  const lines = [
    'ENV B=$A',
    'CMD ["echo","x"]',
    'WORKDIR /srv',
    'WORKDIR $B',
    'ENTRYPOINT run',
    'EXPOSE 80',
    'LABEL a=b',
  ]
  expect(changedConfig(config, lines)).toEqual({
    Env: ['A=1', 'B=1'],
    Cmd: ['echo', 'x'],
    WorkingDir: '/srv/1',
    Entrypoint: ['/bin/sh', '-c', 'run'],
    ExposedPorts: { '80/tcp': {} },
    Labels: { a: 'b' },
  })
  expect(changedConfig(config, [])).toEqual(config)
})

test.each([
  ['RUN x', 'RUN is not a valid change command'],
  ['FROM x', 'FROM is not a valid change command'],
  ['NOTHING', 'unknown instruction: NOTHING'],
  ['ENV', 'ENV requires at least one argument'],
])('%s is refused', (line, message) => {
  expect(() => changedConfig({}, [line])).toThrow(message)
})

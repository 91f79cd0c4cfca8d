import { describe, expect, test } from 'vitest'
import { readOptions, UsageError } from './options.ts'

const least = ['--server', 'cloud:7000', '--state', '/s']

describe('agent options', () => {
  test('come from the command line, then the environment, then what is usual', () => {
    expect(readOptions([...least, '--label', 'a=b=c', '--label', 'd='], {})).toMatchObject({
      server: { host: 'cloud', port: 7000 },
      stateDir: '/s',
      engineSocket: '/var/run/docker.sock',
      joinToken: null,
      labels: { a: 'b=c', d: '' },
      startsAtOnce: 8,
      allowPrivileged: false,
    })
    const env = { GANTRY_SERVER: '[::1]:80', GANTRY_STATE: '/e', DOCKER_HOST: 'unix:///d', GANTRY_JOIN_TOKEN: 't' }
    expect(readOptions(['--engine', '/p'], env)).toMatchObject({
      server: { host: '::1', port: 80 },
      stateDir: '/e',
      engineSocket: '/p',
      joinToken: 't',
    })
    expect(readOptions([], env).engineSocket).toBe('/d')
  })

  test.each([
    [['--state', '/s'], 'Which server'],
    [['--server', 'a:1'], 'Where to keep'],
    [['--server', 'a', '--state', '/s'], '"a" is not HOST:PORT'],
    [['--server', 'a:70000', '--state', '/s'], 'is not HOST:PORT'],
    [[...least, '--engine', 'tcp://h:1'], 'must be on this machine'],
    [[...least, '--label', '=x'], 'is not a label'],
    [[...least, '--starts', '0'], 'whole number'],
    [[...least, '--bogus'], 'bogus'],
  ])('%j is refused with a sentence', (args, sentence) => {
    expect(() => readOptions(args, {})).toThrow(UsageError)
    expect(() => readOptions(args, {})).toThrow(sentence)
  })
})

import { describe, expect, test } from 'vitest'
import type { ImageConfig } from './image-config.ts'
import { BuildArgs } from './build-args.ts'
import { configStep, workdirOf } from './config-step.ts'
import { parseInstruction } from './dockerfile.ts'
import { exposedPorts } from './exposed-ports.ts'
import { lookupIn } from './expand.ts'
import { stopSignal } from './stop-signal.ts'

const step = (line: string, config: ImageConfig = {}, cmdSet = false, args = new BuildArgs({})) =>
  configStep(parseInstruction(line), {
    config,
    author: '',
    cmdSet,
    lookup: lookupIn(config.Env ?? []),
    escape: '\\',
    args,
  })

describe('configStep', () => {
  test('sees the environment as it was before the instruction', () => {
    expect(step('ENV A=new B=$A', { Env: ['A=old'] }).config.Env).toEqual(['A=new', 'B=old'])
  })
  test("an entrypoint ends the base's command, not the stage's own", () => {
    expect(step('ENTRYPOINT ["x"]', { Cmd: ['base'] }).config).toEqual({ Entrypoint: ['x'], Cmd: null })
    expect(step('ENTRYPOINT ["x"]', { Cmd: ['own'] }, true).config.Cmd).toEqual(['own'])
  })
  test('runs in the shell of the image', () => {
    expect(step('CMD a b', { Shell: ['/bin/bash', '-c'] }).config.Cmd).toEqual(['/bin/bash', '-c', 'a b'])
  })
  test.each([
    'ONBUILD ONBUILD RUN x',
    'ONBUILD FROM x',
    'SHELL x',
    'STOPSIGNAL SIGNONE',
    'VOLUME [""]',
    'HEALTHCHECK X',
  ])('refuses %s', (line) => {
    expect(() => step(line)).toThrow()
  })
})

test('arguments are known from their line on, in their stage', () => {
  const args = new BuildArgs({ GIVEN: 'g', HTTP_PROXY: 'p', UNUSED: 'u' })
  args.declareMeta('META', 'm')
  expect(args.seenBy([])).toEqual(['HTTP_PROXY=p'])
  step('ARG META GIVEN=d OTHER', {}, false, args)
  expect(args.seenBy([])).toEqual(['GIVEN=g', 'HTTP_PROXY=p', 'META=m'])
  expect(args.seenBy(['GIVEN=env'])).toEqual(['HTTP_PROXY=p', 'META=m'])
  args.beginStage()
  expect(args.seenBy([])).toEqual(['HTTP_PROXY=p'])
  expect(args.unused()).toEqual(['UNUSED'])
})

test('ports, signals, folders', () => {
  expect(exposedPorts(['80', '53/UDP', '1-2/tcp'])).toEqual(['1/tcp', '2/tcp', '53/udp', '80/tcp'])
  expect(() => exposedPorts(['99999'])).toThrow()
  expect(stopSignal('term')).toBe('term')
  expect(workdirOf({ WorkingDir: '/a' }, '../b')).toBe('/b')
})

import { type Assignment, defaultSpec, type StepKind } from '@gantry/model'
import { expect, test } from 'vitest'
import { failureOf } from './failure-sentences.ts'

const assignment = { spec: { ...defaultSpec('web:1'), cpu: 9, command: ['/srv'] } } as Assignment

// The first column as engines wrote it: Docker 20.10 to 28, runc 1.1, crun.
test.each<[string, StepKind, string]>([
  [
    'OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "nope": executable file not found in $PATH: unknown',
    'start',
    'The image has no program "nope"; check the command and the entrypoint.',
  ],
  [
    'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/x": stat /x: no such file or directory: unknown',
    'start',
    'The image has no program "/x"; check the command and the entrypoint.',
  ],
  [
    'OCI runtime create failed: unable to start container process: exec: "/etc": permission denied: unknown',
    'start',
    '"/etc" cannot be run: it is not an executable file.',
  ],
  [
    'crun: executable file `nope` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found',
    'start',
    'The image has no program "nope"; check the command and the entrypoint.',
  ],
  [
    'crun: open executable: Operation not permitted: OCI permission denied',
    'start',
    '"/srv" cannot be run: it is not an executable file.',
  ],
  [
    'crun: setrlimit `RLIMIT_NOFILE`: Operation not permitted: OCI permission denied',
    'start',
    'The engine may not grant the RLIMIT_NOFILE it is set to; its operator must lower default_ulimits in containers.conf.',
  ],
  [
    '`/usr/bin/crun update --resources=/var/tmp/podman1 656b00c4` failed: exit status 1',
    'update',
    'The engine could not change the limits; most often the container uses more memory than the new limit.',
  ],
  ['Minimum memory limit allowed is 6MB', 'create', 'The memory limit is too small; the engine needs at least 6MB.'],
  [
    'Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available',
    'create',
    '9 cores cannot be had on this host; it allows 0.01 to 2.00.',
  ],
  ['write /var/lib/x: no space left on device', 'pull', 'The disk of the host is full.'],
  [
    'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
    'pull',
    'Image web:1 is not on the host and could not be pulled: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
  ],
  ['something new', 'update', 'The engine could not change the limits of the container: something new'],
])('%s', (message, step, reason) => {
  expect(failureOf(step, message, assignment)).toEqual({ step, reason })
})

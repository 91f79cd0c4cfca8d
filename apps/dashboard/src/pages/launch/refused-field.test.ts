import { expect, test } from 'vitest'
import { ApiError } from '../../api/client.ts'
import { refusedField } from './refused-field.ts'

const refusal = (message: string, code: string, field: string | null = null) =>
  refusedField(new ApiError(message, { status: 400, code, retry: false, requestId: null, field }))

test('what the server refuses is said beside the field that it means', () => {
  expect(refusal('/memory: must be at least 4', 'request.invalid')).toEqual({ memory: 'Must be at least 4.' })
  expect(refusal('/exposedPorts/1: does not fit: A port, as `80/tcp`', 'request.invalid')).toEqual({
    ports: 'No. 2: does not fit: A port, as “80/tcp”.',
  })
  expect(refusal('/cpu: must be a number; /publish/0/publicPort: must be at most 65535; /cpu: x', 'request.invalid')) //
    .toEqual({ cpu: 'Must be a number.', publish: 'No. 1, publicPort: must be at most 65535.' })
  expect(refusal('Taken.', 'container.name-taken', '/name')).toEqual({ name: 'Taken.' })
  expect(refusal('No such volume.', 'volume.not-found', '/mounts')).toEqual({ mounts: 'No such volume.' })
  expect(refusal('Too much.', 'quota.exceeded')).toEqual({})
  expect(refusedField(new Error('x'))).toEqual({})
})

import { expect, test } from 'vitest'
import { ApiError } from '../../api/client.ts'
import { refusedField } from './refused-field.ts'

const refusal = (message: string, code: string) =>
  refusedField(new ApiError(message, { status: 400, code, retry: false, requestId: null }))

test('what the server refuses is said beside the field that it means', () => {
  expect(refusal('/memory: must be >= 4', 'request.invalid')).toEqual({ memory: 'must be >= 4' })
  expect(refusal('/exposedPorts/0: must match pattern', 'request.invalid')).toEqual({ ports: 'must match pattern' })
  expect(refusal('Taken.', 'container.name-taken')).toEqual({ name: 'Taken.' })
  expect(refusal('No such volume.', 'volume.not-found')).toEqual({ mounts: 'No such volume.' })
  expect(refusal('Too much.', 'quota.exceeded')).toEqual({})
  expect(refusedField(new Error('x'))).toEqual({})
})

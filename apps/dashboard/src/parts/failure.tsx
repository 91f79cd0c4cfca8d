import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { ApiError } from '../api/client.ts'

interface FailureProps {
  readonly error: Error
  /** `The volumes could not be listed`: what was tried, in the past tense, without a full stop. */
  readonly what: string
  readonly onRetry?: () => void
}

/** What failed, why, and what next. */
export function Failure({ error, what, onRetry }: FailureProps) {
  const requestId = error instanceof ApiError ? error.requestId : null
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle />} title={what} role="alert">
      <Stack gap="xs">
        <Text size="sm">{error.message}</Text>
        {requestId !== null && (
          <Text size="xs">
            Reference for the operator: <Code>{requestId}</Code>
          </Text>
        )}
        {onRetry && (
          <Group>
            <Button size="xs" variant="default" onClick={onRetry}>
              Try again
            </Button>
          </Group>
        )}
      </Stack>
    </Alert>
  )
}

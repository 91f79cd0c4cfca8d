import { ActionIcon, Box, Button, Group, Input, Stack, Text } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'

interface RowsProps<T> {
  readonly rows: readonly T[]
  /** What a new row holds. */
  readonly fresh: T
  /** `Add a variable`: the button's words. */
  readonly add: string
  /** `Remove the variable`. */
  readonly remove: string
  /** Shown where there are none. */
  readonly none?: string
  readonly problem: string | undefined
  readonly onChange: (rows: readonly T[]) => void
  readonly row: (row: T, change: (row: T) => void) => ReactNode
}

/** Any number of lines of fields. */
export function Rows<T>({ rows, fresh, add, remove, none, problem, onChange, row }: RowsProps<T>) {
  return (
    <Stack gap="xs">
      {rows.length === 0 && none !== undefined && (
        <Text size="sm" c="dimmed">
          {none}
        </Text>
      )}
      {rows.map((each, index) => (
        // A row has no other name, and its fields keep nothing of their own.
        <Group key={index} wrap="nowrap" gap="xs">
          <Box flex={1} miw={0}>
            {row(each, (changed) => onChange(rows.with(index, changed)))}
          </Box>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`${remove} ${index + 1}`}
            onClick={() => onChange(rows.toSpliced(index, 1))}
          >
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      {problem !== undefined && <Input.Error role="alert">{problem}</Input.Error>}
      <div>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => onChange([...rows, fresh])}
        >
          {add}
        </Button>
      </div>
    </Stack>
  )
}

import { Center, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

interface EmptyProps {
  /** `No volumes yet`. */
  readonly title: string
  /** What they are good for, and how to begin. */
  readonly children: ReactNode
  /** The button that begins. */
  readonly action?: ReactNode
}

/** A list without entries says how to begin. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <Center py="xl">
      <Stack align="center" gap="sm" maw={480} ta="center">
        <Title order={2} size="h4">
          {title}
        </Title>
        <Text c="dimmed">{children}</Text>
        {action}
      </Stack>
    </Center>
  )
}

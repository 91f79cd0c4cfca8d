import { Button, Menu, ScrollArea, Text } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type SessionView, switchProject } from '../api/session.ts'
import { router } from '../router.tsx'

/** The project that everything shown belongs to, and the others that one may work in. */
export function ProjectSwitch({ session }: { readonly session: SessionView }) {
  const client = useQueryClient()
  const switching = useMutation({
    mutationFn: switchProject,
    onSuccess: (next) => {
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
      client.setQueryData(['session'], next)
      void router.navigate({ to: '/' })
    },
  })
  return (
    <Menu position="bottom-start" withinPortal>
      <Menu.Target>
        <Button
          variant="default"
          size="xs"
          maw={180}
          loading={switching.isPending}
          aria-label={`Project ${session.project.name}; choose another`}
          rightSection={<IconChevronDown size={14} aria-hidden />}
        >
          <Text truncate size="sm">
            {session.project.name}
          </Text>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Projects</Menu.Label>
        <ScrollArea.Autosize mah={320}>
          {session.projects.map(({ id, name }) => (
            <Menu.Item key={id} disabled={id === session.project.id} onClick={() => switching.mutate(id)}>
              {name}
            </Menu.Item>
          ))}
        </ScrollArea.Autosize>
      </Menu.Dropdown>
    </Menu>
  )
}

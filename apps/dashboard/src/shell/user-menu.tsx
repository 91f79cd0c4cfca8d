import { ActionIcon, Menu, Text } from '@mantine/core'
import { IconLogout, IconUserCircle } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { farewellKey, type SessionView, signOut } from '../api/session.ts'
import { FailureToast } from '../parts/failure-toast.tsx'

/** Who is signed in, and the way out. */
export function UserMenu({ session }: { readonly session: SessionView }) {
  const client = useQueryClient()
  const leaving = useMutation({
    mutationFn: signOut,
    onSuccess: (left) => {
      client.clear()
      if (left) client.setQueryData(farewellKey, left.message)
      client.setQueryData(['session'], null)
    },
  })
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Account of ${session.user.name}`}>
            <IconUserCircle size={20} stroke={1.6} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            <Text size="sm" fw={600}>
              {session.user.name}
            </Text>
            <Text size="xs">{session.roles.join(', ')}</Text>
          </Menu.Label>
          <Menu.Divider />
          <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => leaving.mutate()}>
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {leaving.error && (
        <FailureToast
          error={leaving.error}
          what="Signing out failed"
          onRetry={leaving.mutate}
          onClose={leaving.reset}
        />
      )}
    </>
  )
}

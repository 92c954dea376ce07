import type { Row } from '../../client/index';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import type { Desk } from './desk';
import { Menu } from './Menu';

/** Where else in the queue a waiting person can be put. */
export function MoveMenu({ row, desk }: { row: Row; desk: Desk }) {
  const moves = desk.movesOf(row);
  if (moves.length === 0) return null;
  return (
    <Menu label={staffWords.more(row.name)} face={<Icon name="more" />}>
      {moves.map((move) => (
        <Button
          key={move.where}
          kind="plain"
          wide
          onPress={() => {
            desk.ask({ kind: 'move', row, move });
          }}
        >
          {staffWords.moves[move.where]}
        </Button>
      ))}
    </Menu>
  );
}

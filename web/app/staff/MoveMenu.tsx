import type { Row } from '../../client/index';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { staffWords } from '../words/staff';
import type { Desk } from './desk';
import { Menu } from './Menu';

interface Props {
  row: Row;
  desk: Desk;
}

/** Where else in the queue, and in the clinic, a waiting person can be put. */
export function MoveMenu({ row, desk }: Props) {
  const moves = desk.movesOf(row);
  if (moves.length === 0 && desk.otherRooms.value.length === 0) return null;
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
      <TransferButton row={row} desk={desk} />
    </Menu>
  );
}

/** In a menu; of a clinic with one waiting room there is none. */
export function TransferButton({ row, desk }: Props) {
  if (desk.otherRooms.value.length === 0) return null;
  return (
    <Button
      kind="plain"
      wide
      test="transfer"
      onPress={() => {
        desk.ask({ kind: 'transfer', row });
      }}
    >
      {staffWords.transfer}
    </Button>
  );
}

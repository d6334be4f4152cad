"""Prints every spent output of the best chain in a stopped node's folder, by Bitcoin Core's own kernel library.

One line each: height, transaction, input, value in base units, script, height it was made at, 1 if in a coinbase.
The folder is written to: give a copy. It holds blocks/ with the index, and chainstate/.
"""

import sys

import pbk

manager = pbk.load_chainman(sys.argv[1])
for entry in manager.get_active_chain().block_tree_entries:
    if entry.height == 0:
        continue  # Genesis spends nothing and has no undo data.
    for transaction, spent in enumerate(manager.block_spent_outputs[entry].transactions, 1):
        for index, coin in enumerate(spent.coins):
            output = coin.output
            script = bytes(output.script_pubkey).hex() or "-"
            print(entry.height, transaction, index, output.amount, script, coin.confirmation_height, int(coin.is_coinbase))

"""Reads recorded answers of an EVM node with ethereum-etl's own mappers, into its own CSV files.

What its commands export_blocks_and_transactions, export_receipts_and_logs, extract_token_transfers and export_traces do with
what a node answers, without the node: asking is left out, for both sides. Called by race.py.
"""

import inspect
import json
import pathlib
import sys

# It wants a function that Python has renamed.
if not hasattr(inspect, "getargspec"):
    inspect.getargspec = inspect.getfullargspec

from ethereumetl.jobs.exporters.blocks_and_transactions_item_exporter import blocks_and_transactions_item_exporter
from ethereumetl.jobs.exporters.receipts_and_logs_item_exporter import receipts_and_logs_item_exporter
from ethereumetl.jobs.exporters.token_transfers_item_exporter import token_transfers_item_exporter
from ethereumetl.jobs.exporters.traces_item_exporter import traces_item_exporter
from ethereumetl.mappers.block_mapper import EthBlockMapper
from ethereumetl.mappers.receipt_log_mapper import EthReceiptLogMapper
from ethereumetl.mappers.receipt_mapper import EthReceiptMapper
from ethereumetl.mappers.token_transfer_mapper import EthTokenTransferMapper
from ethereumetl.mappers.trace_mapper import EthTraceMapper
from ethereumetl.mappers.transaction_mapper import EthTransactionMapper
from ethereumetl.service.token_transfer_extractor import EthTokenTransferExtractor


def main(answers, out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    exporters = {
        "blocks": blocks_and_transactions_item_exporter(str(out / "blocks.csv"), str(out / "transactions.csv")),
        "receipts": receipts_and_logs_item_exporter(str(out / "receipts.csv"), str(out / "logs.csv")),
        "transfers": token_transfers_item_exporter(str(out / "token_transfers.csv")),
        "traces": traces_item_exporter(str(out / "traces.csv")),
    }
    for exporter in exporters.values():
        exporter.open()
    blocks, transactions, receipts = EthBlockMapper(), EthTransactionMapper(), EthReceiptMapper()
    logs, transfers, traces = EthReceiptLogMapper(), EthTokenTransferMapper(), EthTraceMapper()
    extractor = EthTokenTransferExtractor()
    count = {"transactions": 0, "logs": 0, "transfers": 0, "traces": 0}
    with open(answers) as lines:
        for line in lines:
            record = json.loads(line)
            method, result = record["method"], record["answer"]["result"]
            if method == "eth_getBlockByNumber":
                block = blocks.json_dict_to_block(result)
                exporters["blocks"].export_item(blocks.block_to_dict(block))
                for transaction in block.transactions:
                    exporters["blocks"].export_item(transactions.transaction_to_dict(transaction))
                    count["transactions"] += 1
            elif method == "eth_getBlockReceipts":
                for one in result:
                    receipt = receipts.json_dict_to_receipt(one)
                    exporters["receipts"].export_item(receipts.receipt_to_dict(receipt))
                    for log in receipt.logs:
                        exporters["receipts"].export_item(logs.receipt_log_to_dict(log))
                        count["logs"] += 1
                        transfer = extractor.extract_transfer_from_log(log)
                        if transfer is not None:
                            exporters["transfers"].export_item(transfers.token_transfer_to_dict(transfer))
                            count["transfers"] += 1
            elif method == "trace_block":
                for one in result:
                    exporters["traces"].export_item(traces.trace_to_dict(traces.json_dict_to_trace(one)))
                    count["traces"] += 1
    for exporter in exporters.values():
        exporter.close()
    print(json.dumps(count))


main(*sys.argv[1:])

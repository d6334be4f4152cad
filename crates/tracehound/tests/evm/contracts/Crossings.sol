// SPDX-License-Identifier: MIT OR Apache-2.0
// Where money leaves the sight of one chain: a bridge whose events have the fields of Celer's cBridge, a router whose
// events have those of THORChain's, a pool of equal notes whose events have those of Tornado Cash. Only the events are
// alike; nothing is proved or signed, and whoever asks is paid.
pragma solidity ^0.8.20;

import "./Tokens.sol";

/// Locks on one chain and pays on the other.
contract Bridge {
    event Send(
        bytes32 transferId, address sender, address receiver, address token, uint256 amount, uint64 dstChainId,
        uint64 nonce, uint32 maxSlippage
    );
    event Relay(
        bytes32 transferId, address sender, address receiver, address token, uint256 amount, uint64 srcChainId,
        bytes32 srcTransferId
    );

    WrappedNative public immutable wrapped;

    constructor(WrappedNative wrapped_) {
        wrapped = wrapped_;
    }

    /// What the bridge pays with.
    receive() external payable {}

    function send(address receiver, Token token, uint256 amount, uint64 chain, uint64 nonce) external {
        token.transferFrom(msg.sender, address(this), amount);
        announce(receiver, address(token), amount, chain, nonce);
    }

    /// The coin is wrapped and kept, and the event names the wrapped coin.
    function sendNative(address receiver, uint64 chain, uint64 nonce) external payable {
        wrapped.deposit{value: msg.value}();
        announce(receiver, address(wrapped), msg.value, chain, nonce);
    }

    function announce(address receiver, address token, uint256 amount, uint64 chain, uint64 nonce) internal {
        bytes32 id = keccak256(
            abi.encodePacked(msg.sender, receiver, token, amount, chain, nonce, uint64(block.chainid))
        );
        emit Send(id, msg.sender, receiver, token, amount, chain, nonce, 5000);
    }

    function relay(address sender, address receiver, Token token, uint256 amount, uint64 chain, bytes32 source)
        external
    {
        bytes32 id = keccak256(
            abi.encodePacked(sender, receiver, token, amount, chain, uint64(block.chainid), source)
        );
        token.transfer(receiver, amount);
        emit Relay(id, sender, receiver, address(token), amount, chain, source);
    }

    /// Pays the coin itself out of what lies wrapped here.
    function relayNative(address sender, address payable receiver, uint256 amount, uint64 chain, bytes32 source)
        external
    {
        bytes32 id = keccak256(
            abi.encodePacked(sender, receiver, address(wrapped), amount, chain, uint64(block.chainid), source)
        );
        wrapped.withdraw(amount);
        (bool done, ) = receiver.call{value: amount}("");
        require(done, "the payee takes no coin");
        emit Relay(id, sender, receiver, address(wrapped), amount, chain, source);
    }
}

/// A pool of notes of one size.
contract Mixer {
    event Deposit(bytes32 indexed commitment, uint32 leafIndex, uint256 timestamp);
    event Withdrawal(address to, bytes32 nullifierHash, address indexed relayer, uint256 fee);

    uint256 public immutable denomination;
    uint32 internal leaves;
    mapping(bytes32 => bool) internal committed;
    mapping(bytes32 => bool) internal spent;

    constructor(uint256 denomination_) {
        denomination = denomination_;
    }

    function deposit(bytes32 commitment) external payable {
        require(msg.value == denomination, "one note at a time");
        require(!committed[commitment], "deposited before");
        committed[commitment] = true;
        emit Deposit(commitment, leaves++, block.timestamp);
    }

    function withdraw(bytes32 nullifier, address payable to, address payable relayer, uint256 fee) external {
        require(!spent[nullifier], "withdrawn before");
        spent[nullifier] = true;
        (bool done, ) = to.call{value: denomination - fee}("");
        (bool paid, ) = relayer.call{value: fee}("");
        require(done && paid, "a payee takes no coin");
        emit Withdrawal(to, nullifier, relayer, fee);
    }
}

/// Deposits with a memo towards a vault that anybody may own, and payments out with a memo.
contract ThorRouter {
    event Deposit(address indexed to, address indexed asset, uint256 amount, string memo);
    event TransferOut(address indexed vault, address indexed to, address asset, uint256 amount, string memo);

    function depositWithExpiry(address payable vault, Token asset, uint256 amount, string calldata memo, uint256 expiry)
        external
        payable
    {
        require(block.timestamp < expiry, "expired");
        if (address(asset) == address(0)) {
            amount = msg.value;
            (bool done, ) = vault.call{value: amount}("");
            require(done, "the vault takes no coin");
        } else {
            asset.transferFrom(msg.sender, address(this), amount);
        }
        emit Deposit(vault, address(asset), amount, memo);
    }

    function transferOut(address payable to, Token asset, uint256 amount, string calldata memo) external payable {
        if (address(asset) == address(0)) {
            amount = msg.value;
            (bool done, ) = to.call{value: amount}("");
            require(done, "the payee takes no coin");
        } else {
            asset.transfer(to, amount);
        }
        emit TransferOut(msg.sender, to, address(asset), amount, memo);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
// Calls that move the native coin in the ways that only traces show: failing subtrees, creation, destruction.
pragma solidity ^0.8.20;

/// Passes a coin on and then fails, so that nothing of it happened.
contract Faulty {
    function pass(address payable to) external payable {
        (bool done, ) = to.call{value: msg.value}("");
        require(done, "the payee takes no coin");
        revert("and yet it fails");
    }
}

/// Sends half of a coin through a call that fails, and then all of it to `to`.
contract Outer {
    event Failed(address callee);

    function pay(Faulty faulty, address payable never, address payable to) external payable {
        try faulty.pass{value: msg.value / 2}(never) {
            revert("it should have failed");
        } catch {
            emit Failed(address(faulty));
        }
        (bool done, ) = to.call{value: msg.value}("");
        require(done, "the payee takes no coin");
    }

    /// Everything of this fails, and so the whole transaction.
    function fail(address payable to) external payable {
        (bool done, ) = to.call{value: msg.value}("");
        require(done && false, "as was asked for");
    }
}

/// Splits a coin over two payees: a payment that no top-level value shows.
contract Splitter {
    function split(address payable one, address payable other, uint256 toOne) external payable {
        (bool done, ) = one.call{value: toOne}("");
        (bool also, ) = other.call{value: msg.value - toOne}("");
        require(done && also, "a payee takes no coin");
    }
}

/// A contract that ends itself and leaves its coin to somebody.
contract Mayfly {
    constructor() payable {}

    receive() external payable {}

    function end(address payable heir) external {
        selfdestruct(heir);
    }
}

/// Makes contracts with a coin in them.
contract Nest {
    event Hatched(address child);

    /// CREATE; the child stays.
    function hatch() external payable returns (address child) {
        child = address(new Mayfly{value: msg.value}());
        emit Hatched(child);
    }

    /// CREATE2; the child stays.
    function hatchAt(bytes32 salt) external payable returns (address child) {
        child = address(new Mayfly{value: msg.value, salt: salt}());
        emit Hatched(child);
    }

    /// A child that is made and ended at once, its coin left to `heir`.
    function day(address payable heir) external payable {
        Mayfly child = new Mayfly{value: msg.value}();
        emit Hatched(address(child));
        child.end(heir);
    }

    /// A child that is made and ended at once, and leaves its coin to itself: the coin is gone.
    function night() external payable {
        Mayfly child = new Mayfly{value: msg.value}();
        emit Hatched(address(child));
        child.end(payable(address(child)));
    }
}

/// Lends its code: what is called by DELEGATECALL moves the caller's coin, not this contract's.
contract Library {
    function send(address payable to, uint256 amount) external {
        (bool done, ) = to.call{value: amount}("");
        require(done, "the payee takes no coin");
    }
}

/// Does what it does with another's code.
contract Proxy {
    receive() external payable {}

    function send(address code, address payable to, uint256 amount) external payable {
        (bool done, ) = code.delegatecall(abi.encodeCall(Library.send, (to, amount)));
        require(done, "the library failed");
    }
}

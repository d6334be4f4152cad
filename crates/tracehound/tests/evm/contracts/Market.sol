// SPDX-License-Identifier: MIT OR Apache-2.0
// A market for the tests: pools of two tokens whose product stays (x * y = k, no fee), a router that goes through two
// of them, a lender of flash loans and a borrower, a vault.
pragma solidity ^0.8.20;

import "./Tokens.sol";

/// A pool of two tokens; its own token is a share of it.
contract Pool is Token {
    Token public immutable one;
    Token public immutable other;

    constructor(Token one_, Token other_) Token("Pool share", "POOL", 18) {
        one = one_;
        other = other_;
    }

    /// Takes both tokens from the caller and gives shares: as many as the first token's amount, or in proportion.
    function join(uint256 oneIn, uint256 otherIn) external returns (uint256 shares) {
        uint256 had = one.balanceOf(address(this));
        shares = supply == 0 ? oneIn : oneIn * supply / had;
        one.transferFrom(msg.sender, address(this), oneIn);
        other.transferFrom(msg.sender, address(this), otherIn);
        create(msg.sender, shares);
    }

    /// Gives both tokens back for shares.
    function leave(uint256 shares) external {
        uint256 oneOut = one.balanceOf(address(this)) * shares / supply;
        uint256 otherOut = other.balanceOf(address(this)) * shares / supply;
        destroy(msg.sender, shares);
        one.transfer(msg.sender, oneOut);
        other.transfer(msg.sender, otherOut);
    }

    /// What `amount` of a token would fetch of the other one.
    function quote(Token paid, uint256 amount) public view returns (uint256) {
        Token bought = paid == one ? other : one;
        uint256 x = paid.balanceOf(address(this));
        uint256 y = bought.balanceOf(address(this));
        return y * amount / (x + amount);
    }

    /// Takes a token from the caller and pays the other one to `to`.
    function swap(Token paid, uint256 amount, address to) external returns (uint256 out) {
        require(paid == one || paid == other, "no token of this pool");
        out = quote(paid, amount);
        paid.transferFrom(msg.sender, address(this), amount);
        (paid == one ? other : one).transfer(to, out);
    }

    function mint(address, uint256) external pure override {
        revert("by joining only");
    }
}

/// Swaps through two pools in one transaction.
contract Router {
    WrappedNative public immutable wrapped;

    constructor(WrappedNative wrapped_) {
        wrapped = wrapped_;
    }

    receive() external payable {}

    /// A coin is wrapped, swapped for the middle token, and that for the last one, which `to` gets.
    function swapCoin(Pool first, Token middle, Pool second, address to) external payable returns (uint256) {
        wrapped.deposit{value: msg.value}();
        wrapped.approve(address(first), msg.value);
        uint256 half = first.swap(wrapped, msg.value, address(this));
        middle.approve(address(second), half);
        return second.swap(middle, half, to);
    }

    /// The way back: a token through two pools into the wrapped coin, unwrapped, to `to`.
    function swapForCoin(Token paid, uint256 amount, Pool first, Token middle, Pool second, address payable to)
        external
    {
        paid.transferFrom(msg.sender, address(this), amount);
        paid.approve(address(first), amount);
        uint256 half = first.swap(paid, amount, address(this));
        middle.approve(address(second), half);
        uint256 out = second.swap(middle, half, address(this));
        wrapped.withdraw(out);
        (bool done, ) = to.call{value: out}("");
        require(done, "the payee takes no coin");
    }
}

/// Lends tokens for the length of one call, against a fee that it is asked for.
contract Lender {
    function lend(Token token, uint256 amount, uint256 fee, bytes calldata order) external {
        uint256 before = token.balanceOf(address(this));
        token.transfer(msg.sender, amount);
        Borrower(payable(msg.sender)).lent(token, amount, fee, order);
        require(token.balanceOf(address(this)) >= before + fee, "the loan was not repaid");
    }
}

/// Borrows a wrapped coin, swaps it together with the caller's coin, swaps the loan's part back and repays it.
contract Borrower {
    WrappedNative public immutable wrapped;

    constructor(WrappedNative wrapped_) {
        wrapped = wrapped_;
    }

    /// The caller's coin is swapped in `pool` into `bought`, in the company of a loan of `amount`.
    function trade(Lender lender, uint256 amount, Pool pool, Token bought) external payable {
        wrapped.deposit{value: msg.value}();
        lender.lend(wrapped, amount, 0, abi.encode(pool, bought, msg.value, msg.sender));
    }

    function lent(Token token, uint256 amount, uint256 fee, bytes calldata order) external {
        (Pool pool, Token bought, uint256 own, address owner) = abi.decode(order, (Pool, Token, uint256, address));
        token.approve(address(pool), type(uint256).max);
        bought.approve(address(pool), type(uint256).max);
        // The loan goes round: in and out of the pool, at no cost but the last unit, which the own coin bears.
        uint256 round = pool.swap(token, amount, address(this));
        uint256 back = pool.swap(bought, round, address(this));
        uint256 cost = amount + fee - back;
        pool.swap(token, own - cost, owner);
        token.transfer(msg.sender, amount + fee);
    }
}

/// Takes a token and gives shares of what it holds (the core of ERC-4626).
contract Vault is Token {
    Token public immutable asset;

    constructor(Token asset_) Token("Vault share", "VAULT", 18) {
        asset = asset_;
    }

    function deposit(uint256 amount) external {
        uint256 had = asset.balanceOf(address(this));
        uint256 shares = supply == 0 ? amount : amount * supply / had;
        asset.transferFrom(msg.sender, address(this), amount);
        create(msg.sender, shares);
    }

    function redeem(uint256 shares) external {
        uint256 amount = asset.balanceOf(address(this)) * shares / supply;
        destroy(msg.sender, shares);
        asset.transfer(msg.sender, amount);
    }

    function mint(address, uint256) external pure override {
        revert("by a deposit only");
    }
}

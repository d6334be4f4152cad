// SPDX-License-Identifier: MIT OR Apache-2.0
// Tokens for the tests, each with one trait that a reader of a chain must get right. Anybody may mint: it is a stage.
pragma solidity ^0.8.20;

/// An ERC-20 token without surprises.
contract Token {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    string public name;
    string public symbol;
    uint8 public decimals;
    uint256 internal supply;
    mapping(address => uint256) internal held;
    mapping(address => mapping(address => uint256)) public allowance;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
    }

    function totalSupply() public view virtual returns (uint256) {
        return supply;
    }

    function balanceOf(address holder) public view virtual returns (uint256) {
        return held[holder];
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        allowance[from][msg.sender] -= value;
        move(from, to, value);
        return true;
    }

    function mint(address to, uint256 value) external virtual {
        create(to, value);
    }

    function burn(uint256 value) external virtual {
        destroy(msg.sender, value);
    }

    function move(address from, address to, uint256 value) internal virtual {
        held[from] -= value;
        held[to] += value;
        emit Transfer(from, to, value);
    }

    function create(address to, uint256 value) internal {
        supply += value;
        held[to] += value;
        emit Transfer(address(0), to, value);
    }

    function destroy(address from, uint256 value) internal {
        held[from] -= value;
        supply -= value;
        emit Transfer(from, address(0), value);
    }
}

/// The native coin as a token: it logs Deposit and Withdrawal and no Transfer for them, as WETH9 does.
contract WrappedNative is Token {
    event Deposit(address indexed dst, uint256 wad);
    event Withdrawal(address indexed src, uint256 wad);

    constructor() Token("Wrapped Ether", "WETH", 18) {}

    receive() external payable {
        deposit();
    }

    function deposit() public payable {
        supply += msg.value;
        held[msg.sender] += msg.value;
        emit Deposit(msg.sender, msg.value);
    }

    function withdraw(uint256 value) external {
        held[msg.sender] -= value;
        supply -= value;
        emit Withdrawal(msg.sender, value);
        (bool done, ) = msg.sender.call{value: value}("");
        require(done, "the caller takes no coin");
    }

    function mint(address, uint256) external pure override {
        revert("only by a deposit");
    }
}

/// Takes one per cent of each transfer for a collector, and logs both parts.
contract HonestTaxToken is Token {
    address internal collector;

    constructor(address collector_) Token("Honest Tax", "HTAX", 18) {
        collector = collector_;
    }

    function move(address from, address to, uint256 value) internal override {
        uint256 tax = value / 100;
        held[from] -= value;
        held[to] += value - tax;
        held[collector] += tax;
        emit Transfer(from, to, value - tax);
        emit Transfer(from, collector, tax);
    }
}

/// Takes one per cent of each transfer for a collector, and logs the gross amount only: balances drift from the logs.
contract SilentTaxToken is Token {
    address internal collector;

    constructor(address collector_) Token("Silent Tax", "STAX", 18) {
        collector = collector_;
    }

    function move(address from, address to, uint256 value) internal override {
        uint256 tax = value / 100;
        held[from] -= value;
        held[to] += value - tax;
        held[collector] += tax;
        emit Transfer(from, to, value);
    }
}

/// Balances are shares of a pool whose size is set: a rebase changes all of them and logs nothing about holders.
contract RebasingToken is Token {
    event Rebased(uint256 size);

    uint256 internal size;
    uint256 internal shares;
    mapping(address => uint256) internal share;

    constructor() Token("Rebasing", "REB", 18) {}

    function totalSupply() public view override returns (uint256) {
        return size;
    }

    function balanceOf(address holder) public view override returns (uint256) {
        return shares == 0 ? 0 : share[holder] * size / shares;
    }

    function rebase(uint256 size_) external {
        size = size_;
        emit Rebased(size_);
    }

    function mint(address to, uint256 value) external override {
        uint256 more = shares == 0 ? value : value * shares / size;
        shares += more;
        share[to] += more;
        size += value;
        emit Transfer(address(0), to, value);
    }

    function burn(uint256) external pure override {
        revert("not this one");
    }

    function move(address from, address to, uint256 value) internal override {
        uint256 moved = value * shares / size;
        share[from] -= moved;
        share[to] += moved;
        emit Transfer(from, to, value);
    }
}

/// Mints any amount that 256 bits hold: what is beyond the books must be refused by name.
contract HugeToken is Token {
    constructor() Token("Huge", "HUGE", 0) {}
}

/// An ERC-721 token: the fourth topic is the piece.
contract Pieces {
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);

    mapping(uint256 => address) public ownerOf;
    mapping(address => uint256) public balanceOf;

    function mint(address to, uint256 piece) external {
        require(ownerOf[piece] == address(0), "minted before");
        ownerOf[piece] = to;
        balanceOf[to] += 1;
        emit Transfer(address(0), to, piece);
    }

    function transferFrom(address from, address to, uint256 piece) external {
        require(ownerOf[piece] == from && from == msg.sender, "not yours");
        ownerOf[piece] = to;
        balanceOf[from] -= 1;
        balanceOf[to] += 1;
        emit Transfer(from, to, piece);
    }
}

/// An ERC-1155 token: several kinds, counted.
contract Kinds {
    event TransferSingle(
        address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value
    );
    event TransferBatch(
        address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values
    );

    mapping(address => mapping(uint256 => uint256)) public balanceOf;

    function mint(address to, uint256 id, uint256 value) external {
        balanceOf[to][id] += value;
        emit TransferSingle(msg.sender, address(0), to, id, value);
    }

    /// Moves `value` of two kinds at once.
    function moveTwo(address to, uint256 one, uint256 other, uint256 value) external {
        balanceOf[msg.sender][one] -= value;
        balanceOf[msg.sender][other] -= value;
        balanceOf[to][one] += value;
        balanceOf[to][other] += value;
        uint256[] memory ids = new uint256[](2);
        uint256[] memory values = new uint256[](2);
        (ids[0], ids[1], values[0], values[1]) = (one, other, value, value);
        emit TransferBatch(msg.sender, msg.sender, to, ids, values);
    }
}
